"""Two processes train as one does: the same weights in both, whole and resumed, and one checkpoint.

This file is also the program that each process runs: ``python test_fit_distributed.py FOLDER RANK``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from several_processes import joined, side_by_side

from lewm_lite import seeded
from lewm_lite.model.presets import WorldModelConfig
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.training.checkpoints import FILE_NAME
from lewm_lite.training.fit import fit
from lewm_lite.training.fit_config import FitConfig
from lewm_lite.world.episode_dataset import EpisodeDataset

CONFIG = FitConfig(steps=9, batch_size=8, num_directions=16, learning_rate=3e-3)  # three steps an epoch


class CutOff(Exception):
    """What ends a run in the middle."""


def train(path, sizes, folder, cut=None, *, resume=False):
    model = LeWorldModel(WorldModelConfig(**sizes), action_dim=4, generator=seeded(0)).double()
    dataset = EpisodeDataset(path, clip_length=4, frame_skip=2)

    def progress(record):
        if record.step == cut:
            raise CutOff

    try:
        history = fit(
            model,
            dataset,
            CONFIG,
            generator=seeded(0),
            folder=folder,
            checkpoint_every=3,
            look_every=4,
            progress=progress,
            resume=resume,
        )
    except CutOff:
        return None
    return {
        "weights": model.state_dict(),
        "losses": torch.tensor(history.records),
        "looks": torch.tensor(numbers(history)),
    }


def numbers(history):
    return [[look.prediction, look.std, look.effective_rank] for look in history.looks]


def run_one_process(folder, rank, path, sizes):
    with joined(folder, rank, 2):
        found = [train(path, sizes, folder / "whole")]
        train(path, sizes, folder / "cut", cut=5)
        dist.barrier()
        found.append(train(path, sizes, folder / "cut", resume=True))
        torch.save(found, folder / f"found_{rank}.pt")


@pytest.mark.slow
def test_two_processes_train_as_one(square_path, small_model, tmp_path):
    sizes = {**vars(small_model(dropout=0.0).config)}  # what is left out differs between processes
    found = side_by_side(__file__, tmp_path, str(square_path), json.dumps(sizes), count=2)
    wanted = train(square_path, sizes, tmp_path / "alone")
    for whole, resumed in found:
        torch.testing.assert_close(whole, wanted, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(resumed["weights"], whole["weights"], rtol=0, atol=0)
    assert sorted(path.name for path in (tmp_path / "whole").iterdir())[0] == FILE_NAME
    assert len(list((tmp_path / "whole").iterdir())) == 2  # one checkpoint, and one file of curves


if __name__ == "__main__":
    folder, rank, path, sizes = sys.argv[1:]
    run_one_process(Path(folder), int(rank), path, json.loads(sizes))
