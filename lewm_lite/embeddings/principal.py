r"""Principal axes that follow a moving cloud: a few Jacobi rotations per step, in operations any exported graph holds.

The eigenvectors of the last step are nearly those of this one, so that a fraction of a sweep keeps up, and an axis does
not flip its sign from one picture to the next. In a kernel, for a single cloud, :func:`lewm_lite.spectrum` is exact.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_embeddings, check_positive_integer


def follow_axes(embeddings: Tensor, basis: Tensor, *, rounds: int = 15) -> tuple[Tensor, Tensor]:
    r"""Rotate ``basis`` towards the eigenvectors of the clouds' covariance.

    One round turns all disjoint pairs of axes at once, each by the angle that makes its two coordinates uncorrelated,
    and then reorders the axes so that dim - 1 rounds meet every pair once. The covariance is that of the cloud seen in
    the basis, so that a small eigenvalue beside a large one keeps its digits.

    Args:
        embeddings: ``(clouds, samples, dim)``, ``dim`` even.
        basis: ``(clouds, dim, dim)``, orthonormal columns: the last call's, or the identity.
        rounds: how many; dim - 1 rounds are one sweep, and 6 to 8 sweeps find the axes from nothing.
    Returns:
        The new basis, and the coordinates in it of the centred cloud, ``(clouds, samples, dim)``; axes are not sorted.
    Raises:
        ShapeError: an odd dim, or a basis of another shape.
    Source:
        Golub & Van Loan, Matrix Computations, section 8.5: parallel Jacobi with the tournament's order of pairs.
    """
    check_embeddings("embeddings", embeddings)
    check_positive_integer("rounds", rounds)
    dim = int(embeddings.shape[-1])
    if embeddings.ndim != 3 or dim % 2:
        raise ShapeError(f"embeddings must be (clouds, samples, even dim), got shape {tuple(embeddings.shape)}")
    if basis.ndim != 3 or basis.shape[-2:] != (dim, dim):
        raise ShapeError(f"basis must be (clouds, {dim}, {dim}), got shape {tuple(basis.shape)}")
    # What rounding has done to the columns over many steps is undone: one step of Newton's towards orthonormal.
    basis = basis @ (1.5 * torch.eye(dim) - 0.5 * basis.mT @ basis)
    centred = embeddings - embeddings.mean(dim=-2, keepdim=True)
    seen = centred @ basis
    matrix = seen.mT @ seen
    largest = matrix.abs().amax(dim=(-2, -1), keepdim=True)
    matrix = matrix / torch.where(largest > 0, largest, torch.ones_like(largest))  # squares of tiny entries underflow
    turned = torch.eye(dim).expand_as(matrix)
    for _ in range(rounds):
        rotation = _round(matrix)
        matrix = rotation.mT @ matrix @ rotation
        turned = turned @ rotation
    return basis @ turned, seen @ turned


def _round(matrix: Tensor) -> Tensor:
    """The rotation of all pairs (0, 1), (2, 3), … at once, followed by the tournament's reordering."""
    dim = int(matrix.shape[-1])
    stay, cross, even = _tournament(dim)
    diagonal = (matrix * torch.eye(dim)).sum(-1)
    partner = diagonal[..., _partners(dim)]
    shared = (matrix * cross.abs()).sum(-1)  # of each axis, its entry with its partner's
    gap = (partner - diagonal) * even
    sign = torch.where(gap < 0, -torch.ones_like(gap), torch.ones_like(gap))
    below = gap + sign * torch.sqrt(gap * gap + 4 * shared * shared)
    done = below == 0
    tangent = torch.where(done, torch.zeros_like(gap), 2 * shared / torch.where(done, sign, below))
    cosine = 1 / torch.sqrt(1 + tangent * tangent)
    order = _order(dim)
    return (cosine[..., None] * stay)[..., order] + ((tangent * cosine)[..., None] * cross)[..., order]


@cache
def _partners(dim: int) -> tuple[int, ...]:
    return tuple(place ^ 1 for place in range(dim))


@cache
def _order(dim: int) -> tuple[int, ...]:
    """Places after a round of a tournament: the first stays, all others move on by one around the table."""
    upper, lower = list(range(0, dim, 2)), list(range(1, dim, 2))
    if len(upper) == 1:
        return (0, 1)
    upper, lower = [upper[0], lower[0], *upper[1:-1]], [*lower[1:], upper[-1]]
    return tuple(place for pair in zip(upper, lower, strict=True) for place in pair)


def _tournament(dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """The identity, the signed swap within pairs, and +1 and -1 for the first and the second of each pair."""
    even = torch.tensor([1.0, -1.0]).repeat(dim // 2)
    stay = torch.eye(dim)
    return stay, even[:, None] * stay[:, list(_partners(dim))], even
