"""The small LeWorldModel under four objectives, from the same data, start and batches: what each can do afterwards.

SIGReg; nothing beside the prediction (lambda = 0); a teacher by moving average, with stop-gradient; VICReg's terms.

``python -m lewm_lite.experiments.world_model_objectives`` trains all, three seeds each, and keeps the result; six
minutes a model on a core of its own. What lies in ``runs/objectives`` already, from the same data, is not trained
again. The data: ``python -m lewm_lite collect --out runs/two_room.h5 --episodes 800 --size 32``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.judging.report import ReportConfig, report_on
from lewm_lite.model.presets import PRESETS
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.training.checkpoints import read_checkpoint, write_checkpoint
from lewm_lite.training.fit import fit
from lewm_lite.training.fit_config import RECIPES, FitConfig
from lewm_lite.training.joint_embedding import OBJECTIVES
from lewm_lite.training.rivals import Rival
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.episode_dataset import EpisodeDataset

FRAME_SKIP = 5
LOOK_EVERY = 250  # steps


@dataclass(frozen=True)
class WorldModelObjectivesConfig:
    """What is trained, how, and how it is judged."""

    objectives: tuple[str, ...] = ("sigreg", "none", "ema_stop_gradient", "vicreg")
    seeds: tuple[int, ...] = (0, 1, 2)
    fit: FitConfig = RECIPES["lite"]
    judged: ReportConfig = ReportConfig()


def train(objective: str, seed: int, config: WorldModelObjectivesConfig, *, data: Path, to: Path) -> None:
    """Train one model, judge it, and write it with what was found to one file."""
    asked = OBJECTIVES[objective]
    recipe = replace(config.fit, sigreg_weight=asked.sigreg)
    sizes = PRESETS["lite"]
    dataset, held_out = (episodes_of(data, split=split, in_memory=True) for split in ("train", "test"))
    model = LeWorldModel(sizes, action_dim=dataset.action_dim, generator=seeded(seed))
    rival = Rival(model, asked) if objective not in ("sigreg", "none") else None
    begun = time.perf_counter()
    history = fit(
        model,
        dataset,
        recipe,
        generator=seeded(seed),
        held_out=held_out,
        rival=rival,
        look_every=LOOK_EVERY,
        progress=lambda record: record.step % LOOK_EVERY or report(f"{objective} {seed}: step {record.step}"),
        warn=report,
    )
    seconds = time.perf_counter() - begun
    judged = report_on(model, data, config.judged)
    facts = {
        "objective": objective,
        "seed": seed,
        "fit": asdict(recipe),
        "judged_by": asdict(config.judged),
        "seconds": round(seconds),  # on the wall, whatever else the machine did
        "looks": [look._asdict() for look in history.looks],
        "warnings": history.warnings,
        "report": judged.as_dict(),
    }
    write_checkpoint(to, model, facts=facts)


def is_done(objective: str, seed: int, config: WorldModelObjectivesConfig, path: Path, *, blocks: ActionBlocks) -> bool:
    """Whether a model of this very config lies there, from data whose training episodes have these blocks of actions.

    Another seed, policy or number of episodes gives another mean and std. Pictures are not compared.
    """
    if not path.is_file():
        return False
    found = read_checkpoint(path)
    facts = found.facts
    recipe = replace(config.fit, sigreg_weight=OBJECTIVES[objective].sigreg)
    wanted = (objective, seed, asdict(recipe), asdict(config.judged))
    same = (facts["objective"], facts["seed"], facts["fit"], facts["judged_by"]) == wanted
    return same and found.action_blocks == blocks


def blocks_of(data: Path) -> ActionBlocks:
    """How a model that learns from a file of episodes gets actions."""
    return ActionBlocks.of_dataset(episodes_of(data, split="train"))


def episodes_of(data: Path, *, split: str, in_memory: bool = False) -> EpisodeDataset:
    """Clips of a file as the models see them."""
    length = PRESETS["lite"].context + 1
    return EpisodeDataset(data, clip_length=length, split=split, frame_skip=FRAME_SKIP, in_memory=in_memory)


def run(
    config: WorldModelObjectivesConfig, *, data: Path, folder: Path, progress: Callable[[str], None] = lambda _: None
) -> dict[str, list[dict[str, Any]]]:
    """What was found, by objective, one entry a seed; what lies in ``folder`` of this data is taken from there."""
    found: dict[str, list[dict[str, Any]]] = {}
    blocks = blocks_of(data)
    for seed in config.seeds:
        for objective in config.objectives:
            path = path_of(folder, objective, seed)
            if not is_done(objective, seed, config, path, blocks=blocks):
                train(objective, seed, config, data=data, to=path)
            facts = read_checkpoint(path).facts
            found.setdefault(objective, []).append(facts)
            progress(f"{objective} {seed}: {facts['report']}")
    return found


def path_of(folder: Path, objective: str, seed: int) -> Path:
    """The file of one model."""
    return folder / f"{objective}_{seed}.safetensors"


def values(found: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """``world_model_objectives.<objective>.<reading>``: means and 95 % intervals over seeds.

    Success is that of all seeds' tasks together as well: ``.successes`` and ``.trials``.
    """
    told: dict[str, float] = {}
    for objective, runs in found.items():
        for name, numbers in readings(runs).items():
            told |= over_seeds(f"world_model_objectives.{objective}.{name}", numbers)
        planned = [facts["report"]["planning"]["planner"] for facts in runs]
        for name in ("successes", "trials"):
            told[f"world_model_objectives.{objective}.{name}"] = sum(rate[name] for rate in planned)
    shared = next(iter(found.values()))[0]["report"]["planning"]
    for who in ("random", "true_dynamics", "oracle"):
        told[f"world_model_objectives.{who}.success"] = brief(shared[who]["success"])
    told["world_model_objectives.already_there"] = shared["already_there"]
    return told


def readings(runs: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Each number of the reports, one entry a seed."""
    reports = [facts["report"] for facts in runs]
    found = {name: [one[name] for one in reports] for name, value in reports[0].items() if isinstance(value, float)}
    for name in ("rollout", "standstill"):
        for step in range(len(reports[0][name])):
            found[f"{name}_{step + 1}"] = [one[name][step] for one in reports]
    for kind in reports[0]["roc"]:
        found[f"roc_{kind}"] = [one["roc"][kind] for one in reports]
    found["success"] = [one["planning"]["planner"]["success"] for one in reports]
    found["prediction"] = [facts["looks"][-1]["prediction"] for facts in runs]
    return found


def main() -> None:
    """Train what is not there yet, keep the result when all is, and say what it is."""
    config = WorldModelObjectivesConfig()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("runs/two_room.h5"), help="its episodes (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("runs/objectives"), help="for models (%(default)s)")
    parser.add_argument("--seed", type=int, choices=config.seeds, default=None, help="train this one's alone")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    part = config if chosen.seed is None else replace(config, seeds=(chosen.seed,))
    found = run(part, data=chosen.data, folder=chosen.folder, progress=report)
    if part != config:
        return
    told = values(found)
    print(keep_result("world_model_objectives", config=config, values=told, details=found, seed=config.seeds[0]))
    for name, value in told.items():
        print(f"{name} = {value}")


if __name__ == "__main__":
    main()
