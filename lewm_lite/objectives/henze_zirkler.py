r"""Tests of a whole cloud at once, without shadows: every pair of samples is compared.

They are the Epps-Pulley statistic in D dimensions: the squared gap between the cloud's characteristic function and the
Gaussian's, integrated over all frequencies under a Gaussian weight of standard deviation beta, which has a closed form.
Everything is computed in float64 and given back in the precision of the embeddings, float32 at least: squared distances
are differences of large numbers, and the terms of the closed form nearly cancel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.checks import at_least_float32, check_embeddings, check_positive_number


def all_pairs(embeddings: Tensor, *, beta: float = 1.0) -> Tensor:
    r"""A direct multivariate test against N(0, I), which compares every pair of samples.

    $\frac1{N^2}\sum_{jk}e^{-\beta^2|z_j-z_k|^2/2} - 2(1+\beta^2)^{-D/2}\frac1N\sum_j e^{-\beta^2|z_j|^2/(2+2\beta^2)}
    + (1+2\beta^2)^{-D/2}$

    Args:
        embeddings: ``(*leading, samples, dim)``.
        beta: how far out frequencies count, > 0, in 1 / (unit of ``embeddings``).
    Returns:
        ``(*leading,)``, >= 0.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers.
        ValueError: NaN, infinity, or a ``beta`` not above 0.
    Source:
        Baringhaus & Henze 1988, Henze & Wagner 1997 (BHEP), without standardising the sample first.
    """
    check_embeddings("embeddings", embeddings)
    check_positive_number("beta", beta)
    dim, square = embeddings.shape[-1], beta * beta
    wide = embeddings.double()
    pairs = torch.exp(-square / 2 * squared_distances(wide)).mean((-2, -1))
    singles = torch.exp(-square / (2 + 2 * square) * wide.square().sum(-1)).mean(-1)
    score = pairs - 2 * (1 + square) ** (-dim / 2) * singles + (1 + 2 * square) ** (-dim / 2)
    return score.to(at_least_float32(embeddings).dtype)


def squared_distances(embeddings: Tensor) -> Tensor:
    """Between every two samples: ``(*leading, samples, dim)`` -> ``(*leading, samples, samples)``, >= 0.

    They are taken from the cloud's own centre, so that how far off it lies costs no digits.
    """
    seen_from_the_centre = embeddings - embeddings.detach().mean(-2, keepdim=True)
    squares = seen_from_the_centre.square().sum(-1)
    products = seen_from_the_centre @ seen_from_the_centre.mT
    return (squares[..., None] + squares[..., None, :] - 2 * products).clamp_min(0)


def henze_zirkler(embeddings: Tensor) -> Tensor:
    r"""A direct multivariate test against any Gaussian: :func:`all_pairs` of the whitened cloud, times N.

    Its beta is $\frac1{\sqrt2}\left(\frac{(2D+1)N}{4}\right)^{1/(D+4)}$. A cloud with a singular covariance cannot be
    whitened and gets the largest value there is, 4 N: so does every cloud of no more than D samples, healthy or not.

    Args:
        embeddings: ``(*leading, samples, dim)``.
    Returns:
        ``(*leading,)``, from 0 to 4 N.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Henze & Zirkler 1990; the covariance is divided by N.
    """
    check_embeddings("embeddings", embeddings)
    count, dim = embeddings.shape[-2:]
    beta = ((2 * dim + 1) * count / 4) ** (1 / (dim + 4)) / math.sqrt(2)
    wide = embeddings.double()
    centred = wide - wide.mean(-2, keepdim=True)
    eigenvalues, axes = torch.linalg.eigh(centred.mT @ centred / count)
    regular = (eigenvalues > _made_up_by_rounding(embeddings, eigenvalues)).all(-1)
    if count <= dim:  # N samples have N - 1 deviations of their own: rounding must not hide that
        regular = torch.zeros_like(regular)
    scales = torch.where(regular[..., None], eigenvalues, torch.ones_like(eigenvalues)).rsqrt()
    scores = count * all_pairs((centred @ axes) * scales[..., None, :], beta=beta)
    return torch.where(regular, scores, torch.full_like(scores, 4.0 * count)).to(at_least_float32(embeddings).dtype)


def _made_up_by_rounding(embeddings: Tensor, eigenvalues: Tensor) -> Tensor:
    """The variance that rounding alone can show along a dead direction: the embeddings', and the decomposition's."""
    own = torch.finfo(embeddings.dtype).eps ** 2 * embeddings.detach().double().square().mean(-2).amax(-1)
    found = torch.finfo(eigenvalues.dtype).eps * eigenvalues.detach()[..., -1]
    return embeddings.shape[-1] * (own + found)[..., None]
