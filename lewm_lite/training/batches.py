"""Which clips each step of a training looks at: known from the step's number alone, so that a run can be resumed."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from lewm_lite.seeding import seeded


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
