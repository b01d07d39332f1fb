"""A training on disk: all that it takes to go on as if it had never stopped, and what must be the same for that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.training.checkpoints import (
    FILE_NAME,
    Checkpoint,
    CheckpointError,
    put_weights,
    read_checkpoint,
    write_checkpoint,
)
from lewm_lite.training.fit_config import FitConfig
from lewm_lite.training.history import History, Look, Record
from lewm_lite.training.rivals import Rival

if TYPE_CHECKING:
    from lewm_lite.world.episode_dataset import EpisodeDataset


@dataclass
class Run:
    """A training on the way."""

    model: LeWorldModel
    dataset: EpisodeDataset
    config: FitConfig
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    seed: int  # which the generator started from
    order: int  # seed of the order of clips
    folder: Path | None
    step: int  # steps taken
    history: History
    rival: Rival | None = None


def save_run(run: Run) -> None:
    """Write the run to its folder, over the checkpoint before, in one step.

    Raises:
        OSError: it can't be written; a checkpoint that was there stays whole.
    """
    tensors = {"generator": run.generator.get_state()}
    for name, value in run.model.named_parameters():
        for key, moment in run.optimiser.state[value].items():
            tensors[f"optimiser.{key}.{name}"] = moment
    tensors["records"] = torch.tensor(run.history.records, dtype=torch.float64)
    facts = {
        "step": run.step,
        "seed": run.seed,
        "order": run.order,
        "fit": asdict(run.config),
        "data": facts_of_data(run.dataset),
        "looks": [look._asdict() for look in run.history.looks],
        "warnings": run.history.warnings,
    }
    path = run.folder / FILE_NAME
    try:
        write_checkpoint(path, run.model, facts=facts, tensors=tensors)
    except OSError as error:
        left = "the checkpoint before is whole" if path.is_file() else "there is no checkpoint yet"
        raise OSError(f"{path} can't be written at step {run.step} ({error.strerror or error}): {left}") from error


def facts_of_data(dataset: EpisodeDataset) -> dict[str, Any]:
    """What a model's use depends on, and what must not change in the middle of a training."""
    return {
        "clips": len(dataset),
        "clip_length": dataset.clip_length,
        "frame_skip": dataset.frame_skip,
        "image_size": list(dataset.image_size),
        "action_mean": dataset.action_mean.tolist(),
        "action_std": dataset.action_std.tolist(),
    }


def restore(run: Run) -> None:
    """Put the run where its checkpoint left it: weights, moments, random numbers, history.

    Raises:
        FileNotFoundError: no checkpoint. CheckpointError: it is of another configuration, seed, model or dataset, or
            has nothing in it to go on from.
    """
    path = run.folder / FILE_NAME
    if not path.is_file():
        raise FileNotFoundError(f"nothing to resume at {path}: start without resume")
    checkpoint = read_checkpoint(path)
    if "generator" not in checkpoint.tensors:
        raise CheckpointError(f"{path} holds a model for use, without what going on with its training takes")
    _refuse_another_run(run, checkpoint, path)
    put_weights(run.model, checkpoint)
    run.generator.set_state(checkpoint.tensors["generator"])
    run.optimiser.load_state_dict(
        {
            "state": _moments(checkpoint, list(dict(run.model.named_parameters()))),
            "param_groups": run.optimiser.state_dict()["param_groups"],
        }
    )
    run.step, run.order = checkpoint.facts["step"], checkpoint.facts["order"]
    records = [Record(int(step), *values) for step, *values in checkpoint.tensors["records"].tolist()]
    looks = [Look(**look) for look in checkpoint.facts["looks"]]
    run.history = History(records, looks, list(checkpoint.facts["warnings"]))


def _moments(checkpoint: Checkpoint, names: list[str]) -> dict[int, dict[str, Tensor]]:
    """By a parameter's place among ``names``; one that had no gradient, such as a frozen one, has none."""
    keys = ("step", "exp_avg", "exp_avg_sq")
    return {
        place: {key: checkpoint.tensors[f"optimiser.{key}.{name}"] for key in keys}
        for place, name in enumerate(names)
        if f"optimiser.step.{name}" in checkpoint.tensors
    }


def _refuse_another_run(run: Run, checkpoint: Checkpoint, path: Path) -> None:
    facts = checkpoint.facts
    data, before = facts_of_data(run.dataset), facts["data"]
    if data["clips"] != before["clips"]:
        verb = "shrank" if data["clips"] < before["clips"] else "grew"
        raise CheckpointError(
            f"the dataset {verb} since {path} was written: {before['clips']} clips then, {data['clips']} now. "
            "A run goes on with the same data only"
        )
    now = {**asdict(run.config), "seed": run.seed, **data}
    then = {**facts["fit"], "seed": facts["seed"], **before}
    others = [f"{name} was {then.get(name)} and is {now[name]}" for name in now if now[name] != then.get(name)]
    if others:
        raise CheckpointError(f"{path} is of another run: {'; '.join(others)}. Resume with what it began with")
