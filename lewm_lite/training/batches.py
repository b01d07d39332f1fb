"""Clips for a training: which each step looks at, known from its number alone so that a run can be resumed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from lewm_lite.checks import ShapeError
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded

if TYPE_CHECKING:
    from lewm_lite.world.episode_dataset import EpisodeDataset


class BatchPlan(Sampler[list[int]]):
    """Clips by step: every clip once in an order of its own for each epoch, less what doesn't fill a last batch.

    Args:
        clips: how many there are.
        batch_size: clips of a step, of all processes together.
        start, steps: the first step to be taken, and the number at which to end.
        seed: of the orders.
        rank, processes: each process takes its own part of every batch.
    Raises:
        ValueError: fewer clips than a batch, or a batch that can't be shared evenly.
    Example:
        >>> list(BatchPlan(6, 2, start=0, steps=3, seed=0)) == list(BatchPlan(6, 2, start=0, steps=9, seed=0))[:3]
        True
    """

    def __init__(
        self, clips: int, batch_size: int, *, start: int, steps: int, seed: int, rank: int = 0, processes: int = 1
    ) -> None:
        if clips < batch_size:
            raise ValueError(f"batch_size must be at most the dataset's {clips} clips, got {batch_size}")
        if batch_size % processes:
            raise ValueError(f"batch_size must be a multiple of the {processes} processes, got {batch_size}")
        self.clips, self.batch_size, self.start, self.steps, self.seed = clips, batch_size, start, steps, seed
        self.rank, self.processes = rank, processes

    def __len__(self) -> int:
        return self.steps - self.start

    def __iter__(self) -> Iterator[list[int]]:
        batches, share = self.clips // self.batch_size, self.batch_size // self.processes
        epoch, order = -1, torch.empty(0, dtype=torch.long)
        for step in range(self.start, self.steps):
            if step // batches != epoch:
                epoch = step // batches
                order = torch.randperm(self.clips, generator=seeded(self.seed + epoch))
            first = step % batches * self.batch_size + self.rank * share
            yield order[first : first + share].tolist()


def read_clips(dataset: EpisodeDataset, plan: BatchPlan, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Frames and actions of each step of a plan, read by so many processes beside this one.

    Raises:
        ValueError: what is stored there is damaged; in one sentence, whichever process met it.
    """
    # The loader draws a seed for its workers: from a generator of its own, not from the global state.
    loader = DataLoader(dataset, batch_sampler=plan, num_workers=workers, generator=seeded(plan.seed))
    try:
        yield from loader
    except ValueError as error:
        if not workers:
            raise
        # A worker's error comes as its whole traceback, of which the last line is what it said.
        _, _, words = str(error).strip().splitlines()[-1].partition(": ")
        raise type(error)(words) from error


def check_fits(name: str, dataset: EpisodeDataset, model: LeWorldModel) -> None:
    """Refuse clips of other sizes than the model takes.

    Raises:
        ShapeError: which of frames, actions and length it is; ``name`` is the argument that ``dataset`` was given as.
    """
    size, length = model.config.image_size, model.config.context + 1
    if tuple(dataset.image_size) != (size, size):
        height, width = dataset.image_size
        raise ShapeError(
            f"{name} must have frames of {size} x {size} pixels for this model, got {width} x {height}: "
            f"collect them with --size {size}"
        )
    if dataset.action_dim != model.action_dim:
        raise ShapeError(
            f"{name} must have {model.action_dim} numbers in an action for this model, got {dataset.action_dim}: "
            "an action is a block of frame_skip steps of the environment"
        )
    if not 2 <= dataset.clip_length <= length:
        raise ShapeError(
            f"{name} must have clips of 2 to {length} frames, one more than the predictor looks back on, "
            f"got clip_length {dataset.clip_length}"
        )
