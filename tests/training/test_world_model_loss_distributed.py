"""Two processes with half of a batch each train the LeWorldModel as one does: BatchNorm and SIGReg look at all.

This file is also the program that each process runs: ``python test_world_model_loss_distributed.py FOLDER RANK``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from several_processes import joined, side_by_side
from small_world_model import SMALL

from lewm_lite import seeded
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.training.world_model_loss import world_model_loss

CONFIG = replace(SMALL, dropout=0.0)  # what is left out differs between processes


def model():
    made = LeWorldModel(CONFIG, action_dim=4, generator=seeded(0)).double()
    for block in made.predictor.blocks:
        torch.nn.init.normal_(block.modulation.weight, std=0.5, generator=seeded(1))
    return made


def clips():
    """Early clips are dark and late ones bright, so that no half is like the whole."""
    generator = seeded(0)
    frames = torch.randn(8, 4, 3, 8, 8, generator=generator) + torch.linspace(-1, 1, 8).view(8, 1, 1, 1, 1)
    return frames.double(), torch.randn(8, 4, 4, generator=generator).double()


def train(trained, frames, actions):
    """The loss, the gradient and the running averages after one step's backward pass."""
    loss = world_model_loss(trained, frames, actions, sigreg_weight=0.5, generator=seeded(1), num_directions=16)
    loss.total.backward()
    own = getattr(trained, "module", trained)
    return {
        "loss": torch.stack(loss).detach(),
        **{f"gradient of {name}": value.grad for name, value in own.named_parameters()},
        **{name: value for name, value in own.named_buffers() if "running" in name},
    }


def run_one_process(folder, rank):
    with joined(folder, rank, 2):
        frames, actions = clips()
        shared = torch.nn.parallel.DistributedDataParallel(model())
        torch.save(train(shared, frames.chunk(2)[rank], actions.chunk(2)[rank]), folder / f"found_{rank}.pt")


def test_two_processes_find_the_gradient_of_one(tmp_path):
    found = side_by_side(__file__, tmp_path, count=2)
    wanted = train(model(), *clips())
    torch.testing.assert_close((found[0]["loss"] + found[1]["loss"]) / 2, wanted.pop("loss"))
    assert found[0]["loss"][2] == found[1]["loss"][2]  # SIGReg is the whole batch's in either
    assert found[0].pop("loss")[1] != found[1].pop("loss")[1]  # the prediction loss is each one's own
    for name, value in wanted.items():
        for process in found:
            torch.testing.assert_close(process[name], value, rtol=1e-6, atol=1e-10, msg=name)


if __name__ == "__main__":
    run_one_process(Path(sys.argv[1]), int(sys.argv[2]))
