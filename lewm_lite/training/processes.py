"""Where a training runs: which device, and which of how many processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

DEVICES = ("auto", "cpu", "mps", "cuda")


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; under ``torchrun`` each process gets a GPU of its own.

    Args:
        name: ``"auto"`` takes a GPU if there is one, then Apple's, then the processor.
    Raises:
        ValueError: another name, a device that isn't there, fewer GPUs than processes, or several processes on Apple's.
    """
    if name not in DEVICES:
        raise ValueError(f"device must be one of {list(DEVICES)}, got {name!r}")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, here in there.items() if here)
    if not there[name]:
        raise ValueError(f"device is {name!r}, which this machine, or this torch, doesn't have: try 'auto'")
    if name == "mps" and int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError("device must be 'cpu' or 'cuda' for several processes, got 'mps', which can't add up for them")
    if name != "cuda":
        return torch.device(name)
    place, count = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if place >= count:
        raise ValueError(
            f"device 'cuda' must have a GPU for each process of this machine, got {count} for {place + 1} processes or "
            f"more: start torchrun with --nproc-per-node {count}, or take 'cpu'"
        )
    return torch.device("cuda", place)


def rank_and_processes() -> tuple[int, int]:
    """This process's number, from 0, and how many there are."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


@contextmanager
def as_torchrun_says(device: torch.device) -> Iterator[None]:
    """Inside, the processes that ``torchrun`` started know each other; a process started by itself stays alone."""
    if int(os.environ.get("WORLD_SIZE", 1)) < 2 or not dist.is_available() or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def mean_over_processes(values: Tensor) -> Tensor:
    """The mean of each process's values, the same in all of them."""
    _, processes = rank_and_processes()
    if processes < 2:
        return values
    values = values.clone()
    dist.all_reduce(values)
    return values / processes
