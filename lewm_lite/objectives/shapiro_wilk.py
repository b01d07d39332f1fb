r"""Shapiro and Wilk's test: do the ordered samples lie on a straight line over where a normal sample's would lie?"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, at_least_float32, check_embeddings, check_positive_integer
from lewm_lite.objectives.empirical_distribution import ranks
from lewm_lite.objectives.moments import standardised

# Royston's corrections of the two outermost weights, polynomials in 1 / sqrt(N) from the power 1 on.
_OUTERMOST = (0.221157, -0.147981, -2.071190, 4.434685, -2.706056)
_NEXT = (0.042981, -0.293762, -1.752461, 5.682633, -3.582633)


def shapiro_wilk(projections: Tensor, weights: Tensor | None = None) -> Tensor:
    r"""W, the squared correlation of the ordered samples with the places where a normal sample's would lie.

    $W = \left(\sum_n a_{r_n} x_n\right)^2 \Big/ \sum_n (x_n-\bar x)^2$, with $r_n$ the rank of $x_n$.

    It asks for any normal law: shift and scale leave it as it is. Its gradient has a kink where two samples pass each
    other.

    Args:
        projections: ``(*leading, samples, num_directions)``; axis -2 is the sample, of 3 to 5000.
        weights: ``(samples,)``, from :func:`royston_weights`, where they cannot be made on the spot.
    Returns:
        ``(*leading, num_directions)``: at most 1, but for rounding, and nearer to 1 the straighter the line; 0 where
        all are equal.
    Raises:
        ShapeError: fewer than two axes or three samples, more than 5000, or weights for another N.
        TypeError: integers. ValueError: NaN or infinity.
    Source:
        Shapiro & Wilk 1965, with the weights of Royston 1995 (AS R94), as ``scipy.stats.shapiro``.
    """
    check_embeddings("projections", projections, min_samples=3, last_axis="num_directions")
    projections = at_least_float32(projections)
    count = projections.shape[-2]
    if weights is None:
        weights = royston_weights(count)
    if weights.shape != (count,):
        raise ShapeError(f"weights must be one per sample, ({count},), got shape {tuple(weights.shape)}")
    weight = weights.to(projections)[ranks(projections).long() - 1]
    return (weight * standardised(projections)).sum(-2).square() / (count - 1)


@lru_cache(maxsize=64)
def royston_weights(num_samples: int) -> Tensor:
    r"""The weights $a$ of Shapiro-Wilk's W, smallest sample first: antisymmetric, with squares that add up to 1.

    They approximate $V^{-1}m / |V^{-1}m|$, m and V the means and covariances of a normal sample's order statistics.

    Raises:
        ShapeError: fewer than 3 samples or more than 5000, where the approximation was not fitted.
    """
    check_positive_integer("num_samples", num_samples)
    if not 3 <= num_samples <= 5000:
        raise ShapeError(f"Shapiro-Wilk's weights are known for 3 to 5000 samples, got {num_samples}")
    if num_samples == 3:
        return torch.tensor([-math.sqrt(0.5), 0.0, math.sqrt(0.5)], dtype=torch.float64)
    place = torch.arange(1, num_samples + 1, dtype=torch.float64)
    expected = torch.special.ndtri((place - 0.375) / (num_samples + 0.25))
    total = expected.square().sum()
    own = 1 if num_samples <= 5 else 2  # how many on each side have a correction of their own
    outer = torch.zeros(own, dtype=torch.float64)
    for rank, correction in enumerate((_OUTERMOST, _NEXT)[:own]):
        power_series = sum(factor * num_samples ** (-power / 2) for power, factor in enumerate(correction, start=1))
        outer[rank] = power_series - expected[rank] / total.sqrt()
    rest = total - 2 * expected[:own].square().sum()
    weights = expected * torch.sqrt((1 - 2 * outer.square().sum()) / rest)
    weights[:own] = -outer
    weights[num_samples - own :] = outer.flip(0)
    return weights
