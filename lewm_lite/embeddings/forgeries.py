"""Clouds that are far from Gaussian and cannot be told from it by one who asks only so much.

As in :mod:`lewm_lite.embeddings.clouds`, ``noise`` is ``(samples, dim + 1)`` of standard normal values: the first
``dim`` columns are the point's own, the last one decides what needs deciding once per point.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_floating


def every_other_sector(noise: Tensor, lines: Tensor) -> Tensor:
    r"""The plane's Gaussian swept into every other sector between ``lines`` evenly spaced lines through 0.

    Its shadow on each of those lines is exactly normal. Mirrored in a line, the cloud covers just the sectors that it
    left empty, and keeps its shadow on that line; cloud and mirror image together are the Gaussian. A point that falls
    into an empty sector is mirrored in the line where the sector begins.

    Args:
        noise: ``(samples, 3)``. lines: a scalar tensor k, a whole number >= 1: lines at the angles πj/k, 0 among them.
    Returns:
        ``(samples, 2)``.
    Example:
        >>> import torch
        >>> cloud = every_other_sector(torch.tensor([[1.0, 2.0, 0.0], [-1.0, 2.0, 0.0]]), torch.tensor(2.0))
        >>> [[round(value, 4) + 0.0 for value in point] for point in cloud.tolist()]
        [[1.0, 2.0], [1.0, 2.0]]
    """
    own = _own(noise)
    if own.ndim != 2 or own.shape[1] != 2:
        raise ShapeError(f"noise for sectors of a plane must be (samples, 3), got shape {tuple(noise.shape)}")
    width = math.pi / lines
    angle = torch.atan2(own[:, 1], own[:, 0])
    sector = torch.floor(angle / width)
    empty = sector - 2 * torch.floor(sector / 2)  # 1 where the sector's number is odd
    angle = angle + empty * 2 * (sector * width - angle)
    return own.norm(dim=1, keepdim=True) * torch.stack([angle.cos(), angle.sin()], dim=1)


def every_other_orthant(noise: Tensor) -> Tensor:
    r"""The Gaussian swept into the orthants in which the product of all coordinates is positive.

    Any ``dim - 1`` of its coordinates are together exactly standard normal; all of them are not. In the plane these are
    two of the four quadrants, in space four of the eight octants.

    Args:
        noise: ``(samples, dim + 1)``.
    Returns:
        ``(samples, dim)``; the last coordinate's sign is the one that was changed.
    """
    own = _own(noise)
    sides = torch.where(own < 0, -torch.ones_like(own), torch.ones_like(own))
    side = functools.reduce(torch.mul, sides.split(1, dim=-1))  # torch.prod has no place in an exported graph
    return torch.cat([own[..., :-1], own[..., -1:] * side], dim=-1)


def bullseye(noise: Tensor) -> Tensor:
    r"""A spot at 0 and a sphere of radius $\sqrt{D+2}$ about it, which holds the share D/(D+2) of the points.

    The radius has the Gaussian's second and fourth moment, and the direction is uniform: so every mean of a product of
    up to five coordinates is the Gaussian's. The spot has a standard deviation of 0.05, the sphere a thickness of 0.05,
    which changes those means by less than 3 in 100.

    Args:
        noise: ``(samples, dim + 1)``.
    Returns:
        ``(samples, dim)``.
    """
    own, extra = _own(noise), noise[..., -1:]
    dim = own.shape[-1]
    chance = (1 + torch.erf(extra / math.sqrt(2))) / 2  # uniform
    length = own.norm(dim=-1, keepdim=True)
    radius = math.sqrt(dim + 2) + 0.05 * (length - math.sqrt(dim))
    return torch.where(chance < dim / (dim + 2), own * radius / length, 0.05 * own)


def _own(noise: Tensor) -> Tensor:
    check_floating("noise", noise)
    if noise.ndim < 2 or noise.shape[-1] < 3:
        raise ShapeError(f"noise must be (samples, dim + 1) with dim >= 2, got shape {tuple(noise.shape)}")
    return noise[..., :-1]
