"""Eigenvalues of small symmetric matrices by Jacobi rotations, in operations that any exported graph can hold.

``torch.linalg.eigvalsh`` has no counterpart in ONNX; the page needs a spectrum too. In a kernel use
:func:`lewm_lite.spectrum`, which calls the library routine; a test holds the two together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_floating, check_positive_integer


def jacobi_eigenvalues(matrix: Tensor, *, sweeps: int = 6) -> Tensor:
    """Eigenvalues of a real symmetric matrix, largest first, by cyclic Jacobi rotations.

    The number of rotations is fixed, ``sweeps * dim * (dim - 1) / 2``, so that the function traces to a graph without
    loops. Meant for small matrices: 6 sweeps bring dim <= 8 to float32 precision.

    Args:
        matrix: ``(dim, dim)``, symmetric; only what symmetry leaves is looked at.
        sweeps: passes over all pairs of coordinates, >= 1.
    Returns:
        ``(dim,)`` in descending order.
    Source:
        Golub & Van Loan, Matrix Computations, section 8.5 (the classical rotation that zeroes one pair).
    """
    check_floating("matrix", matrix)
    check_positive_integer("sweeps", sweeps)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"matrix must be (dim, dim), got shape {tuple(matrix.shape)}")
    dim = int(matrix.shape[0])
    largest = matrix.abs().max()
    scale = torch.where(largest > 0, largest, torch.ones_like(largest))
    matrix = matrix / scale  # squares of tiny entries would underflow
    unit = torch.eye(dim, dtype=matrix.dtype, device=matrix.device)
    for _ in range(sweeps):
        for p in range(dim - 1):
            for q in range(p + 1, dim):
                rotation = _rotation(matrix[p, p], matrix[q, q], matrix[p, q], unit, p, q)
                matrix = rotation.mT @ matrix @ rotation
    return scale * torch.sort(torch.diagonal(matrix), descending=True).values


def _rotation(app: Tensor, aqq: Tensor, apq: Tensor, unit: Tensor, p: int, q: int) -> Tensor:
    """The plane rotation of coordinates p and q that makes their off-diagonal entry zero."""
    gap = aqq - app
    sign = torch.where(gap < 0, -torch.ones_like(gap), torch.ones_like(gap))
    below = gap + sign * torch.sqrt(gap * gap + 4 * apq * apq)
    nothing_to_do = below == 0  # the pair is already diagonal and equal
    tangent = torch.where(nothing_to_do, torch.zeros_like(gap), 2 * apq / torch.where(nothing_to_do, sign, below))
    cosine = 1 / torch.sqrt(1 + tangent * tangent)
    sine = tangent * cosine
    e_p, e_q = unit[p, :, None], unit[q, :, None]
    return unit + (cosine - 1) * (e_p @ e_p.mT + e_q @ e_q.mT) + sine * (e_p @ e_q.mT - e_q @ e_p.mT)
