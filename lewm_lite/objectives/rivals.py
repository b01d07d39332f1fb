r"""SIGReg's question with another answer wanted: the same distance of shadows, to the shadows of a rival target.

A target is a law whose shadow along any direction has a known characteristic function. All have mean 0 and the total
variance D of the standard Gaussian. Independent coordinates, and the same shadow from every direction: only the
Gaussian has both (Maxwell's theorem). The sphere has the second alone, the cube the first alone; so the shadow that a
cube casts, and with it what is asked of a cloud, differs from direction to direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from lewm_lite.checks import check_embeddings, check_generator, check_positive_integer
from lewm_lite.objectives.directions import check_directions
from lewm_lite.objectives.sigreg import Score, distance

STRETCH = 16.0  # the stretched target's widest variance over its narrowest
GRID = 256  # angles over which the sphere's shadow is summed
TWO_SCALES = (0.25, 1.75)  # the two variances of the heavy-tailed target


class Rival(NamedTuple):
    """A target law: the characteristic function of its shadows, and what it makes of standard normal noise."""

    shadow: Callable[[Tensor, Tensor], Tensor]  # (dim, num_directions), (knots,) -> (num_directions, knots), real
    drawn: Callable[[Tensor], Tensor]  # (samples, dim + 1) -> (samples, dim)


def rival_score(embeddings: Tensor, directions: Tensor, *, target: str, knots: int = 17, t_max: float = 3.0) -> Tensor:
    r"""The distance of SIGReg, with a rival's shadows in the place of the bell curve, averaged over directions.

    $$\frac1K\sum_k N\int_{-t_{max}}^{t_{max}}\left|\hat\varphi_k(t)-\varphi_{r_k}(t)\right|^2 e^{-t^2/2}\,dt$$

    where $\varphi_r$ is the characteristic function of the target's shadow along $r$. Knots, window and factor N are
    SIGReg's, so that for the target ``"gaussian"`` this is :func:`lewm_lite.objectives.sigreg.sigreg`.

    Args:
        embeddings: ``(*leading, samples, dim)``, at least two samples; leading axes are separate batches.
        directions: ``(dim, num_directions)`` of unit columns.
        target: one of RIVALS. knots, t_max: as in SIGReg.
    Returns:
        A scalar, >= 0: for a sample of the target itself the same small number at any N.
    Raises:
        ValueError: a target that is not one of RIVALS, NaN or infinity. ShapeError: as for SIGReg.
    """
    check_embeddings("embeddings", embeddings)
    check_directions(directions, embeddings)
    rival = rival_named(target)
    shadows = directions.mT @ embeddings.mT
    return distance(shadows, partial(rival.shadow, directions), knots=knots, t_max=t_max).mean()


def rival_sample(num_samples: int, dim: int, *, target: str, generator: torch.Generator) -> Tensor:
    """Draw ``(num_samples, dim)`` from a target law itself.

    Raises:
        ValueError: a target that is not one of RIVALS, or sizes below 1 (2 for ``dim``).
    """
    check_positive_integer("num_samples", num_samples)
    check_positive_integer("dim", dim, minimum=2)
    check_generator(generator)
    return rival_named(target).drawn(torch.randn(num_samples, dim + 1, generator=generator))


def rival_named(target: str) -> Rival:
    """The target of that name.

    Raises:
        ValueError: no such target; the message lists those there are.
    """
    if target not in RIVALS:
        raise ValueError(f"target must be one of {', '.join(RIVALS)}, got {target!r}")
    return RIVALS[target]


def _of_variance(variance: Tensor, t: Tensor) -> Tensor:
    """Characteristic function of a normal shadow of the given variances: ``(num_directions,)`` -> with knots."""
    return torch.exp(-variance[:, None] * t * t / 2)


def _gaussian(directions: Tensor, t: Tensor) -> Tensor:
    return _of_variance(torch.ones_like(directions[0]), t)


def _stretched_variances(dim: int) -> Tensor:
    variances = torch.logspace(0, -math.log10(STRETCH), dim)
    return variances * (dim / variances.sum())


def _stretched(directions: Tensor, t: Tensor) -> Tensor:
    variances = _stretched_variances(directions.shape[0]).to(directions)
    return _of_variance((directions.square() * variances[:, None]).sum(0), t)


def _sphere(directions: Tensor, t: Tensor) -> Tensor:
    dim = directions.shape[0]
    angle = (torch.arange(GRID, dtype=t.dtype, device=t.device) + 0.5) * (math.pi / GRID)
    share = torch.sin(angle) ** (dim - 2)
    waves = torch.cos(math.sqrt(dim) * t[:, None] * torch.cos(angle))
    return ((waves * share).sum(-1) / share.sum()).expand(directions.shape[1], -1)


def _cube(directions: Tensor, t: Tensor) -> Tensor:
    reach = math.sqrt(3) / math.pi * directions.mT[:, :, None] * t  # torch.sinc is sin(πx) / (πx)
    return torch.sinc(reach).prod(1)


def _clumps(directions: Tensor, t: Tensor) -> Tensor:
    """Half of the total variance lies between the two clumps, along the first coordinate, half inside them."""
    apart = math.sqrt(directions.shape[0] / 2)
    return torch.cos(apart * directions[0][:, None] * t) * torch.exp(-t * t / 4)


def _heavy_tailed(directions: Tensor, t: Tensor) -> Tensor:
    narrow, wide = (_of_variance(torch.full_like(directions[0], variance), t) for variance in TWO_SCALES)
    return (narrow + wide) / 2


def _drawn_clumps(noise: Tensor) -> Tensor:
    own = math.sqrt(0.5) * noise[:, :-1]
    apart = math.sqrt(own.shape[1] / 2) * torch.where(noise[:, -1:] < 0, -1.0, 1.0)
    return torch.cat([own[:, :1] + apart, own[:, 1:]], dim=1)


def _drawn_heavy_tailed(noise: Tensor) -> Tensor:
    narrow, wide = (math.sqrt(variance) for variance in TWO_SCALES)
    return noise[:, :-1] * torch.where(noise[:, -1:] < 0, narrow, wide)


def _drawn_sphere(noise: Tensor) -> Tensor:
    own = noise[:, :-1]
    return math.sqrt(own.shape[1]) * own / own.norm(dim=1, keepdim=True)


RIVALS: dict[str, Rival] = {
    "gaussian": Rival(_gaussian, lambda noise: noise[:, :-1]),
    "stretched": Rival(_stretched, lambda noise: noise[:, :-1] * _stretched_variances(noise.shape[1] - 1).sqrt()),
    "sphere": Rival(_sphere, _drawn_sphere),
    "cube": Rival(_cube, lambda noise: math.sqrt(3) * torch.erf(noise[:, :-1] / math.sqrt(2))),
    "clumps": Rival(_clumps, _drawn_clumps),
    "heavy_tailed": Rival(_heavy_tailed, _drawn_heavy_tailed),
}
SCORES: dict[str, Score] = {name: partial(rival_score, target=name) for name in RIVALS}
