"""Clouds of embeddings with a known shape, each a function of Gaussian noise.

Noise comes in and a cloud goes out, so that the same cloud can be made here and inside an exported graph, and a seed
is needed in one place only. ``noise`` is ``(samples, dim + 1)`` of standard normal values: the first ``dim`` columns
are the point's own, the last one decides what the shape needs decided once per point (which clump, where on the line).
Every shape but :func:`point` has a standard deviation near 1 in its live coordinates, so that variance alone cannot
tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_floating, check_generator, check_positive_integer


def cloud_noise(num_samples: int, dim: int, *, generator: torch.Generator) -> Tensor:
    """Standard normal ``(num_samples, dim + 1)``, the material of every shape in this module."""
    check_positive_integer("num_samples", num_samples)
    check_positive_integer("dim", dim)
    check_generator(generator)
    return torch.randn(num_samples, dim + 1, generator=generator, device=generator.device)


def isotropic(noise: Tensor) -> Tensor:
    """N(0, I): the shape that SIGReg asks for. ``(samples, dim + 1)`` -> ``(samples, dim)``."""
    own, _ = _split(noise)
    return own


def point(noise: Tensor) -> Tensor:
    """Complete collapse with a little noise left: an isotropic cloud of standard deviation 0.01."""
    own, _ = _split(noise)
    return 0.01 * own


def line(noise: Tensor) -> Tensor:
    """A uniform segment along the diagonal, every coordinate of standard deviation 1, thickness 0.02."""
    own, extra = _split(noise)
    return _along_a_segment(extra) + 0.02 * own


def axis_line(noise: Tensor) -> Tensor:
    """A uniform segment along the first coordinate, of standard deviation 1; in every other direction 0.02."""
    own, extra = _split(noise)
    return torch.cat([_along_a_segment(extra) + 0.02 * own[..., :1], 0.02 * own[..., 1:]], dim=-1)


def clumps(noise: Tensor) -> Tensor:
    """Two tight balls at opposite ends of the diagonal, as many points in each on average, radius about 0.2."""
    own, extra = _split(noise)
    side = torch.where(extra < 0, -1.0, 1.0).to(own.dtype)
    return 0.98 * side + 0.2 * own


def white_clumps(noise: Tensor) -> Tensor:
    """Two clumps along the first coordinate, standard normal across it: identity covariance, and not Gaussian."""
    own, extra = _split(noise)
    side = torch.where(extra < 0, -1.0, 1.0).to(own.dtype)
    along = math.sqrt(0.96) * side + 0.2 * own[..., :1]  # variance 0.96 + 0.04
    return torch.cat([along, own[..., 1:]], dim=-1)


def ring(noise: Tensor) -> Tensor:
    """A circle of radius sqrt(2) in the first two coordinates, thickness 0.05; needs ``dim`` >= 2."""
    own, extra = _split(noise)
    if own.shape[-1] < 2:
        raise ShapeError(f"noise for a ring must have at least 3 columns (dim >= 2, plus 1), got {tuple(noise.shape)}")
    angle = own[..., :2] / own[..., :2].norm(dim=-1, keepdim=True)
    return torch.cat([(math.sqrt(2) + 0.05 * extra) * angle, 0.05 * own[..., 2:]], dim=-1)


def low_rank(noise: Tensor) -> Tensor:
    """A Gaussian whose last coordinate is dead (standard deviation 0.02): the smallest dimensional collapse."""
    own, _ = _split(noise)
    return torch.cat([own[..., :-1], 0.02 * own[..., -1:]], dim=-1)


def heavy_tailed(noise: Tensor) -> Tensor:
    """A Gaussian whose scale is log-normal, one scale per point: variance 1, with far outliers."""
    own, extra = _split(noise)
    return own * torch.exp(extra - 1)  # E exp(2 (g - 1)) = 1 for a standard normal g


SHAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "point": point,
    "line": line,
    "axis_line": axis_line,
    "clumps": clumps,
    "white_clumps": white_clumps,
    "ring": ring,
    "low_rank": low_rank,
    "heavy_tailed": heavy_tailed,
    "isotropic": isotropic,
}


def _along_a_segment(normal: Tensor) -> Tensor:
    """Standard normal values made uniform on [-sqrt(3), sqrt(3)]: variance 1 as before."""
    return math.sqrt(3) * torch.erf(normal / math.sqrt(2))


def _split(noise: Tensor) -> tuple[Tensor, Tensor]:
    check_floating("noise", noise)
    if noise.ndim < 2 or noise.shape[-1] < 2:
        raise ShapeError(
            f"noise must be (samples, dim + 1), one column more than the cloud has, got shape {tuple(noise.shape)}"
        )
    return noise[..., :-1], noise[..., -1:]
