"""Flat clouds bent by hand: turned, squeezed, parted in two, and pushed where a finger moves over them.

Each is a plain function of tensors, so that it can stand inside an exported graph. A cloud here is ``(samples, 2)``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_floating, check_positive_number


def turn(points: Tensor, degrees: Tensor) -> Tensor:
    """The cloud turned about 0, counter-clockwise. ``degrees`` is a scalar tensor; 0 leaves every point in place."""
    _check_flat(points)
    angle = degrees * (math.pi / 180)
    x, y = points[:, :1], points[:, 1:]
    return torch.cat([angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y], dim=1)


def squeeze(points: Tensor, share: Tensor) -> Tensor:
    r"""The second coordinate times ``share``, the first times $\sqrt{2 - \text{share}^2}$.

    An isotropic cloud keeps its total variance, and turned by 45 degrees it keeps the variance of each coordinate too:
    however thin it is, no coordinate shows it.

    Args:
        points: ``(samples, 2)``. share: a scalar tensor from 0, a line, to 1, nothing changed.
    """
    _check_flat(points)
    return torch.cat([torch.sqrt(2 - share * share) * points[:, :1], share * points[:, 1:]], dim=1)


def part(points: Tensor, sides: Tensor, gap: Tensor) -> Tensor:
    r"""Two halves moved apart along the first coordinate: $x \mapsto \sqrt{1 - \text{gap}^2}\,x + \text{gap}\cdot s$.

    Where the side $s = \pm1$ is a fair coin's that knows nothing of the point, a coordinate of variance 1 keeps it, and
    stays uncorrelated with the other: from the standard Gaussian (gap 0) to two clumps (gap near 1) the covariance is
    the identity.

    Args:
        points: ``(samples, 2)``. sides: ``(samples, 1)`` of any numbers, of which the sign counts. gap: a scalar tensor
            from 0, nothing changed, to 1.
    """
    _check_flat(points)
    signs = torch.where(sides < 0, -torch.ones_like(sides), torch.ones_like(sides))
    return torch.cat([torch.sqrt(1 - gap * gap) * points[:, :1] + gap * signs, points[:, 1:]], dim=1)


def brush(points: Tensor, hand: Tensor, *, radius: float = 0.5) -> Tensor:
    r"""Points pushed by a hand: each takes the share $\exp(-d^2 / 2\,\text{radius}^2)$ of its move, $d$ far from it.

    Args:
        points: ``(samples, 2)``. hand: ``(4,)``, where it was and how it moved: x, y, dx, dy. radius: > 0, in the
            cloud's unit.
    """
    _check_flat(points)
    check_positive_number("radius", radius)
    if tuple(hand.shape) != (4,):
        raise ShapeError(f"hand must be (4,): x, y, dx, dy, got shape {tuple(hand.shape)}")
    place, move = hand[:2], hand[2:]
    near = torch.exp((points - place).square().sum(1, keepdim=True) / (-2 * radius**2))
    return points + near * move


def _check_flat(points: Tensor) -> None:
    check_floating("points", points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(f"points must be (samples, 2), a flat cloud, got shape {tuple(points.shape)}")
