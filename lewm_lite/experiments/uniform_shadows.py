r"""A law whose shadow is the same from every side, fitted to a wanted shadow: when is there one?

A law that looks alike from every side is a mixture of spheres about 0, so that only the share of each radius is free.
A sphere of radius R in D dimensions casts the shadow density $\propto (1 - s^2/R^2)^{(D-3)/2}$. The fit chooses shares
>= 0 that bring the mixture's shadow closest to the wanted one, by least squares on the distribution function.

No run to keep: a fit takes a fraction of a second, and the chapter makes them anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lewm_lite.checks import check_positive_integer

Law = Callable[[np.ndarray], np.ndarray]  # places s >= 0 -> the chance of |shadow| <= s


def uniform_law(places: np.ndarray) -> np.ndarray:
    """The chance that a uniform shadow of variance 1 lies within ``places`` of 0."""
    return np.clip(places / math.sqrt(3), 0, 1)


def bell_law(places: np.ndarray) -> np.ndarray:
    """The same for N(0, 1)."""
    from scipy.special import erf

    return erf(places / math.sqrt(2))


def sphere_law(places: np.ndarray, radii: np.ndarray, dim: int) -> np.ndarray:
    """The chance that the shadow of a uniform sphere lies within ``places`` of 0: ``(places, radii)``."""
    from scipy.special import betainc

    return betainc(0.5, (dim - 1) / 2, np.clip((places[:, None] / radii) ** 2, 0, 1))


@dataclass(frozen=True)
class RadialFit:
    """The mixture of spheres whose shadow is closest to a wanted one."""

    places: np.ndarray  # where the two are compared
    density: np.ndarray  # of the fitted shadow, between places
    radii: np.ndarray
    shares: np.ndarray  # of each radius, >= 0, summing to 1
    gap: float  # the largest difference between the two distribution functions


def radial_fit(wanted: Law, dim: int, *, reach: float = 4.0, places: int = 80) -> RadialFit:
    """The law alike from every side, in ``dim`` >= 2 dimensions, whose shadow is closest to ``wanted``.

    Args:
        wanted: the shadow's law. dim: D.
        reach: up to where shadows are compared, in standard deviations. places: how many points that takes.
    Raises:
        ValueError: ``dim`` below 2.
    """
    check_positive_integer("dim", dim, minimum=2)
    from scipy.optimize import nnls

    s = np.linspace(0, reach, places + 1)[1:]
    # Up to where no Gaussian point lies, to speak of, and the root mean square distance is one of them.
    finer = math.ceil(2 * places * math.sqrt(dim) / (math.sqrt(dim) + reach))
    radii = math.sqrt(dim) / finer * np.arange(1, 2 * places + 1)
    # That the shares sum to 1 is asked as one more place, of weight enough.
    asked = np.vstack([sphere_law(s, radii, dim), np.full(len(radii), 30.0)])
    shares, _ = nnls(asked, np.append(wanted(s), 30.0), maxiter=10_000)
    shares /= shares.sum()
    law = sphere_law(s, radii, dim) @ shares
    density = np.diff(law, prepend=0) / np.diff(s, prepend=0) / 2
    return RadialFit(s, density, radii, shares, float(np.abs(law - wanted(s)).max()))
