"""Is the cloud alive? Spread per feature, spectrum of the covariance, and how many dimensions are really used."""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import check_embeddings


def feature_std(embeddings: Tensor) -> Tensor:
    """Standard deviation of each feature over the samples, the sum of squares divided by N.

    Args:
        embeddings: ``(*leading, samples, dim)``.
    Returns:
        ``(*leading, dim)``, in the embeddings' unit.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Example:
        >>> import torch
        >>> feature_std(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).tolist()
        [1.0, 0.0]
    """
    check_embeddings("embeddings", embeddings)
    return embeddings.std(dim=-2, correction=0)


def covariance(embeddings: Tensor) -> Tensor:
    """Covariance over the samples, centred, divided by N: ``(*leading, samples, dim)`` -> ``(*leading, dim, dim)``."""
    check_embeddings("embeddings", embeddings)
    centred = embeddings - embeddings.mean(dim=-2, keepdim=True)
    return centred.mT @ centred / embeddings.shape[-2]


def spectrum(embeddings: Tensor) -> Tensor:
    """Eigenvalues of the covariance, largest first: the variance along each principal direction.

    Args:
        embeddings: ``(*leading, samples, dim)``.
    Returns:
        ``(*leading, dim)`` in the square of the embeddings' unit, clipped at 0; computed in float64 on the CPU,
        since a dead dimension beside a live one is lost in float32.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    """
    check_embeddings("embeddings", embeddings)
    embeddings = embeddings.cpu().double()  # in this order: not every accelerator has float64
    seen_from_the_first = embeddings - embeddings[..., :1, :]  # a point becomes 0 exactly; less its mean it may not
    return torch.linalg.eigvalsh(covariance(seen_from_the_first)).flip(-1).clamp_min(0)


def effective_rank_of(eigenvalues: Tensor) -> Tensor:
    """exp(entropy) of eigenvalues taken as shares of their sum, over the last axis; 0 where all are 0."""
    total = eigenvalues.sum(-1, keepdim=True)
    alive = total > 0
    shares = eigenvalues / torch.where(alive, total, torch.ones_like(total))
    positive = shares > 0
    logs = torch.where(positive, shares, torch.ones_like(shares)).log()
    return torch.where(alive[..., 0], torch.exp(-(shares * logs).sum(-1)), torch.zeros_like(total[..., 0]))


def effective_rank(embeddings: Tensor) -> float:
    r"""How many dimensions the cloud uses: $\exp\left(-\sum_i p_i \ln p_i\right)$, $p_i$ the shares of the spectrum.

    Equal variance in d directions gives d. It is blind to scale: a tiny isotropic cloud has full effective rank, so
    read it beside :func:`feature_std`. A point gives 0.

    Args:
        embeddings: ``(samples, dim)``.
    Returns:
        Between 1 and ``min(dim, samples - 1)`` for any cloud with spread.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Roy & Vetterli 2007, "The effective rank", which takes singular values; ours takes the eigenvalues of the
        centred covariance, so a share is a share of variance.
    Example:
        >>> import torch
        >>> corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> round(effective_rank(corners), 6)
        2.0
    """
    return effective_rank_of(spectrum(embeddings)).mean().item()


def participation_ratio(embeddings: Tensor) -> float:
    r"""Another count of used dimensions, which gives small ones less weight: $(\sum_i \mu_i)^2 / \sum_i \mu_i^2$.

    Here $\mu_i$ are the eigenvalues of the centred covariance. Arguments and errors as for :func:`effective_rank`; a
    point gives 0.
    """
    eigenvalues = spectrum(embeddings)
    total, squares = eigenvalues.sum(-1), eigenvalues.square().sum(-1)
    return torch.where(squares > 0, total.square() / squares, torch.zeros_like(total)).mean().item()
