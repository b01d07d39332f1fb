r"""Tests that look at the first four moments of a sample, and the standardising that asks for any normal law.

Moments are taken in the form of Hermite polynomials, $x$, $x^2-1$, $x^3-3x$ and $x^4-6x^2+3$: under N(0, 1) their means
are 0 and they are uncorrelated, so that each may be measured in its own standard error, $\sqrt{k!/N}$.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import at_least_float32, check_embeddings


def standardised(projections: Tensor, *, correction: int = 1) -> Tensor:
    """Each sample less its mean, over its standard deviation: what is left is shape. Equal values become zeros.

    Args:
        projections: ``(*leading, samples, num_directions)``; axis -2 is the sample.
        correction: the sum of squares is divided by N - ``correction``.
    Returns:
        The same shape, in float32 at least. Tests of the result ask for any normal law, N(0, 1) or not.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    projections = at_least_float32(projections)
    seen_from_the_first = projections - projections[..., :1, :]  # equal values become 0 exactly
    centred = seen_from_the_first - seen_from_the_first.mean(-2, keepdim=True)
    variance = centred.square().sum(-2, keepdim=True) / (projections.shape[-2] - correction)
    # Chosen before the root, whose slope at 0 would be infinite.
    return centred / torch.where(variance > 0, variance, torch.ones_like(variance)).sqrt()


def low_moments(projections: Tensor) -> Tensor:
    r"""How far the first four moments are from those of N(0, 1), in squared standard errors.

    $N\left[\overline{x}^2 + \tfrac12\overline{(x^2-1)}^2 + \tfrac16\overline{(x^3-3x)}^2
    + \tfrac1{24}\overline{(x^4-6x^2+3)}^2\right]$, which is 0 exactly when the moments are 0, 1, 0 and 3. A law that
    has them is not seen, normal or not. Under N(0, 1) it follows $\chi^2$ with 4 degrees of freedom, once N is large.

    Args:
        projections: ``(*leading, samples, num_directions)``; axis -2 is the sample.
    Returns:
        ``(*leading, num_directions)``, >= 0.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Neyman 1937, the smooth test of order 4, with Hermite polynomials for the normal law.
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    projections = at_least_float32(projections)
    square = projections.square()
    terms = (
        projections.mean(-2).square(),
        (square - 1).mean(-2).square() / 2,
        (projections * (square - 3)).mean(-2).square() / 6,
        (square * (square - 6) + 3).mean(-2).square() / 24,
    )
    return projections.shape[-2] * sum(terms)


def jarque_bera(projections: Tensor) -> Tensor:
    r"""Skewness and kurtosis of the standardised sample: $N\left(\frac{s^2}{6} + \frac{(k-3)^2}{24}\right)$.

    It asks for any normal law, and sees no law of skewness 0 and kurtosis 3. A standardised sample has the first two
    moments right, so that this is :func:`low_moments` of it. N equal values score 9 N / 24.

    Arguments, shapes and errors as for :func:`low_moments`.

    Source:
        Jarque & Bera 1980; the statistic of ``scipy.stats.jarque_bera``.
    """
    scores = standardised(projections, correction=0)
    square = scores.square()
    skewness, kurtosis = (scores * square).mean(-2), square.square().mean(-2)
    return projections.shape[-2] * (skewness.square() / 6 + (kurtosis - 3).square() / 24)
