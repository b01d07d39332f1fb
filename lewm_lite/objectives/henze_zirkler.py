r"""Tests of a whole cloud at once, without shadows: every pair of samples is compared.

They are the Epps-Pulley statistic in D dimensions: the squared gap between the cloud's characteristic function and the
Gaussian's, integrated over all frequencies under a Gaussian weight of standard deviation beta, which has a closed form.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.checks import check_embeddings, check_positive_number


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
    lengths = embeddings.square().sum(-1)
    apart = lengths[..., None] + lengths[..., None, :] - 2 * embeddings @ embeddings.mT
    pairs = torch.exp(-square / 2 * apart.clamp_min(0)).mean((-2, -1))
    singles = torch.exp(-square / (2 + 2 * square) * lengths).mean(-1)
    return pairs - 2 * (1 + square) ** (-dim / 2) * singles + (1 + 2 * square) ** (-dim / 2)


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
    centred = embeddings - embeddings.mean(-2, keepdim=True)
    eigenvalues, axes = torch.linalg.eigh(centred.mT @ centred / count)
    smallest = eigenvalues[..., -1:] * (dim * torch.finfo(embeddings.dtype).eps)
    regular = (eigenvalues > smallest).all(-1)
    if count <= dim:  # N samples have N - 1 deviations of their own: rounding must not hide that
        regular = torch.zeros_like(regular)
    scales = torch.where(regular[..., None], eigenvalues, torch.ones_like(eigenvalues)).rsqrt()
    scores = count * all_pairs((centred @ axes) * scales[..., None, :], beta=beta)
    return torch.where(regular, scores, torch.full_like(scores, 4.0 * count))
