"""Between actions of an environment and the blocks of them that a world model is given: one file of facts for both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_finite, check_floating, check_positive_integer


class _Normalised(Protocol):  # an EpisodeDataset, which this module need not import
    frame_skip: int
    action_mean: object
    action_std: object


@dataclass(frozen=True)
class ActionBlocks:
    """``frame_skip`` actions end to end, each number less its mean, divided by its std over the training episodes.

    Args:
        frame_skip: actions of the environment in one block, >= 1.
        mean, std: of each number of an action, over the data that the model learned from.
    Raises:
        ValueError: another number of means than of stds, none, one that is not finite, or a std that is not above 0.
    Example:
        >>> blocks = ActionBlocks(frame_skip=2, mean=(0.0, 1.0), std=(1.0, 2.0))
        >>> packed = blocks.pack(torch.tensor([[0.5, 1.0], [1.0, 3.0]]))
        >>> packed.tolist()
        [[0.5, 0.0, 1.0, 1.0]]
        >>> blocks.unpack(packed).tolist()
        [[0.5, 1.0], [1.0, 3.0]]
    """

    frame_skip: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        check_positive_integer("frame_skip", self.frame_skip)
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError(f"mean and std must have one number each for every number of an action, got {self}")
        if not all(math.isfinite(number) for number in (*self.mean, *self.std)) or min(self.std) <= 0:
            raise ValueError(f"mean and std must be finite, and std above 0, got {self}")

    @classmethod
    def of_dataset(cls, dataset: _Normalised) -> ActionBlocks:
        """As an :class:`~lewm_lite.world.episode_dataset.EpisodeDataset` normalises and joins actions."""
        mean, std = (tuple(torch.as_tensor(numbers).tolist()) for numbers in (dataset.action_mean, dataset.action_std))
        return cls(dataset.frame_skip, mean, std)

    @property
    def action_dim(self) -> int:
        """Numbers in one block: ``action_dim`` of the model."""
        return self.frame_skip * len(self.mean)

    def pack(self, actions: Tensor) -> Tensor:
        """Actions of the environment ``(..., steps, numbers)`` as blocks ``(..., steps / frame_skip, action_dim)``.

        Raises:
            ShapeError: another number of numbers, or of steps than whole blocks.
        """
        check_floating("actions", actions)
        if actions.ndim < 2 or actions.shape[-1] != len(self.mean) or actions.shape[-2] % self.frame_skip:
            raise ShapeError(
                f"actions must be (..., steps, {len(self.mean)}) with steps a multiple of frame_skip, "
                f"{self.frame_skip}, got shape {tuple(actions.shape)}"
            )
        check_finite("actions", actions)
        scaled = (actions - actions.new_tensor(self.mean)) / actions.new_tensor(self.std)
        blocks = actions.shape[-2] // self.frame_skip
        return scaled.reshape(*actions.shape[:-2], blocks, self.action_dim)

    def unpack(self, blocks: Tensor) -> Tensor:
        """The inverse of :meth:`pack`.

        Raises:
            ShapeError: blocks of another width.
        """
        check_floating("blocks", blocks)
        if blocks.ndim < 2 or blocks.shape[-1] != self.action_dim:
            raise ShapeError(f"blocks must be (..., blocks, {self.action_dim}), got shape {tuple(blocks.shape)}")
        steps = blocks.shape[-2] * self.frame_skip
        scaled = blocks.reshape(*blocks.shape[:-2], steps, len(self.mean))
        return scaled * blocks.new_tensor(self.std) + blocks.new_tensor(self.mean)
