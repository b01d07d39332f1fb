r"""VICReg's three terms, and variance alone: what was asked of a cloud before it was asked to be Gaussian.

Each term is a free function of embeddings; :func:`vicreg_terms` gives all three and :class:`VICRegTerms` weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_embeddings, check_positive_number

# The weights of the paper's experiments (Bardes et al. 2022, section 4.2): invariance, variance, covariance.
PUBLISHED_WEIGHTS = (25.0, 25.0, 1.0)
# Inside the square root of the standard deviation, so that its gradient stays finite at zero variance (section 4.1).
VARIANCE_EPSILON = 1e-4


@dataclass(frozen=True)
class VICRegTerms:
    """The three terms, not yet weighed: scalars >= 0."""

    invariance: Tensor
    variance: Tensor
    covariance: Tensor

    def weighted(
        self,
        invariance_weight: float = PUBLISHED_WEIGHTS[0],
        variance_weight: float = PUBLISHED_WEIGHTS[1],
        covariance_weight: float = PUBLISHED_WEIGHTS[2],
    ) -> Tensor:
        """Their weighted sum; the defaults are the published 25, 25 and 1."""
        return (
            invariance_weight * self.invariance + variance_weight * self.variance + covariance_weight * self.covariance
        )


def negative_variance(embeddings: Tensor) -> Tensor:
    r"""Variance alone, as a loss that has no bound: $-\frac1D\sum_j \mathrm{Var}_n(z_{nj})$.

    The word-for-word form of "maximise the variance of embeddings across the batch". Gradient descent sends it to minus
    infinity; :func:`variance_hinge` is the form that is used.

    Args:
        embeddings: ``(*leading, samples, dim)``.
    Returns:
        A scalar <= 0: minus the mean over features (and leading axes) of the variance, divided by N - 1.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    """
    check_embeddings("embeddings", embeddings)
    return -_variance(embeddings).mean()


def variance_hinge(embeddings: Tensor, *, target_std: float = 1.0) -> Tensor:
    r"""How far the features' standard deviations fall short of a target.

    $\frac1D\sum_j \max(0, \gamma - \sqrt{\mathrm{Var}_j+\epsilon})$

    Args:
        embeddings: ``(*leading, samples, dim)``.
        target_std: gamma, > 0, in the embeddings' unit. Above it nothing more is asked.
    Returns:
        A scalar from 0 to ``target_std``.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN, infinity, or a bad
            ``target_std``.
    Source:
        Bardes, Ponce & LeCun 2022, arXiv:2105.04906, section 4.1, the variance term; divided by N - 1 and with
        epsilon 1e-4 as in the authors' code (facebookresearch/vicreg, ``main_vicreg.py``, ``VICReg.forward``).
    Example:
        >>> import torch
        >>> from lewm_lite import seeded
        >>> healthy = torch.randn(256, 8, generator=seeded(0))
        >>> bool(variance_hinge(0.1 * healthy) > variance_hinge(2 * healthy))
        True
    """
    check_embeddings("embeddings", embeddings)
    check_positive_number("target_std", target_std)
    std = torch.sqrt(_variance(embeddings) + VARIANCE_EPSILON)
    return torch.relu(target_std - std).mean()


def covariance_penalty(embeddings: Tensor) -> Tensor:
    r"""Squared correlations that should not be: $\frac1D\sum_{i\ne j} C_{ij}^2$, $C$ the covariance divided by N - 1.

    Args:
        embeddings: ``(*leading, samples, dim)``.
    Returns:
        A scalar >= 0, averaged over leading axes; 0 for one feature.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Bardes, Ponce & LeCun 2022, arXiv:2105.04906, section 4.1, the covariance term.
    """
    check_embeddings("embeddings", embeddings)
    samples, dim = embeddings.shape[-2:]
    centred = embeddings - embeddings.mean(dim=-2, keepdim=True)
    matrix = centred.mT @ centred / (samples - 1)
    # A mask and not torch.diagonal, whose gradient writes in place: no exported graph can hold that.
    mixed = matrix * (1 - torch.eye(dim, dtype=matrix.dtype, device=matrix.device))
    return (mixed.square().sum(dim=(-2, -1)) / dim).mean()


def invariance(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of two embeddings of the same things, over all entries: what prediction asks.

    Args:
        a, b: ``(*leading, samples, dim)``, of one shape.
    Raises:
        ShapeError: two shapes, fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Bardes, Ponce & LeCun 2022, arXiv:2105.04906, section 4.1, the invariance term; the paper writes the squared
        norm per sample, the authors' code and ours the mean over features too.
    """
    _check_views(a, b)
    return (a - b).square().mean()


def vicreg_terms(a: Tensor, b: Tensor, *, target_std: float = 1.0) -> VICRegTerms:
    """All three terms for two views: the variance hinge averaged over the views, the covariance penalty summed.

    Args:
        a, b: ``(*leading, samples, dim)``, of one shape.
        target_std: as in :func:`variance_hinge`.
    Raises:
        ShapeError: two shapes, fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        As the authors' code: its ``std_loss`` is the mean of the two views' hinges, its ``cov_loss`` the sum of their
        penalties.
    """
    _check_views(a, b)
    variance = (variance_hinge(a, target_std=target_std) + variance_hinge(b, target_std=target_std)) / 2
    return VICRegTerms(invariance(a, b), variance, covariance_penalty(a) + covariance_penalty(b))


def _variance(embeddings: Tensor) -> Tensor:
    """``Tensor.var`` over the samples, divided by N - 1, written out: no exported graph can hold its gradient."""
    centred = embeddings - embeddings.mean(dim=-2, keepdim=True)
    return centred.square().sum(dim=-2) / (embeddings.shape[-2] - 1)


def _check_views(a: Tensor, b: Tensor) -> None:
    check_embeddings("a", a)
    check_embeddings("b", b)
    if a.shape != b.shape:
        raise ShapeError(f"a and b must be two views of one shape, got {tuple(a.shape)} and {tuple(b.shape)}")
