"""Projection directions: how they are drawn, and what is refused in their place."""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import (
    ShapeError,
    check_finite,
    check_floating,
    check_generator,
    check_positive_integer,
)


def random_directions(dim: int, num_directions: int, *, generator: torch.Generator) -> Tensor:
    r"""Directions drawn uniformly from the unit sphere: Gaussian columns, divided by their length.

    Args:
        dim: dimension of the embeddings, >= 1.
        num_directions: how many directions, K, >= 1.
        generator: the source of randomness; required, never global.
    Returns:
        ``(dim, num_directions)`` float32, each column of length 1, on the generator's device.
    Raises:
        ValueError: ``dim`` or ``num_directions`` below 1. TypeError: no generator.
    Source:
        Balestriero & LeCun 2025, arXiv:2511.08544, Algorithm 1. The authors' LeWM code (lucas-maes/le-wm at 8edfeb3,
        ``module.py``) draws from the global random state; we ask for a generator.
    Example:
        >>> from lewm_lite import seeded
        >>> random_directions(3, 5, generator=seeded(0)).norm(dim=0).round(decimals=6).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    check_positive_integer("dim", dim)
    check_positive_integer("num_directions", num_directions)
    check_generator(generator)
    columns = torch.randn(dim, num_directions, generator=generator, device=generator.device)
    return columns / columns.norm(dim=0, keepdim=True)


def check_directions(directions: Tensor, embeddings: Tensor) -> None:
    """Refuse anything but finite ``(dim, num_directions)`` on the embeddings' device."""
    check_floating("directions", directions)
    if directions.ndim != 2 or 0 in directions.shape:
        raise ShapeError(
            f"directions must be (dim, num_directions) with at least one direction, got shape {tuple(directions.shape)}"
        )
    if directions.shape[0] != embeddings.shape[-1]:
        raise ShapeError(
            f"directions must have the dimension of the embeddings, {embeddings.shape[-1]}, as rows, "
            f"got shape {tuple(directions.shape)}: draw them with random_directions({embeddings.shape[-1]}, ...)"
        )
    if directions.device != embeddings.device:
        raise ValueError(
            f"directions are on {directions.device} and embeddings on {embeddings.device}: "
            "move them with directions.to(embeddings.device)"
        )
    check_finite("directions", directions)
