"""``python -m lewm_lite train``: its options, and what it does with them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from lewm_lite.model.presets import PRESETS
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.training.checkpoints import FILE_NAME
from lewm_lite.training.fit import LOOK_EVERY, SHORT_LOOKS, fit
from lewm_lite.training.fit_config import PRECISIONS, RECIPES, FitConfig
from lewm_lite.training.history import History
from lewm_lite.training.processes import DEVICES, as_torchrun_says, pick_device, rank_and_processes

_SAID = {  # of FitConfig's fields
    "steps": "how many batches to learn from",
    "batch_size": "clips in a batch, of all processes together",
    "learning_rate": "AdamW's, at its highest",
    "warmup": "share of the steps over which the learning rate rises, from 0 to below 1",
    "weight_decay": "AdamW's: share of each weight that goes per step, times the learning rate",
    "clip_norm": "a longer gradient is shortened to this length",
    "sigreg_weight": "lambda, of SIGReg beside the prediction loss; right for one batch size, with which SIGReg grows",
    "num_directions": "directions that SIGReg looks along, fresh at each step",
    "precision": "of the forward pass; SIGReg and BatchNorm stay in float32",
}


def describe_train(train: argparse.ArgumentParser) -> None:
    """The options; what isn't given is as the preset's recipe has it."""
    train.add_argument("--data", type=Path, required=True, help="file of episodes, by collect")
    train.add_argument("--preset", choices=sorted(PRESETS), default="lite", help="sizes (default: %(default)s)")
    train.add_argument("--out", type=Path, default=None, help="folder of the run (default: runs/ and the preset)")
    train.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    train.add_argument("--seed", type=int, default=0, help="of weights, clips and directions (default: %(default)s)")
    train.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU if there is one")
    for field in fields(FitConfig):
        given = {"choices": PRECISIONS} if field.name == "precision" else {"type": type(field.default)}
        told = ", ".join(f"{name} {getattr(recipe, field.name)}" for name, recipe in RECIPES.items())
        told = f"{_SAID[field.name]} (default: {told})"
        train.add_argument(f"--{field.name.replace('_', '-')}", default=None, help=told, **given)
    train.add_argument("--frame-skip", type=int, default=5, help="steps of an action block (default: %(default)s)")
    train.add_argument("--in-memory", action="store_true", help="read the pixels once; for files that fit")
    train.add_argument("--workers", type=int, default=0, help="processes that read clips (default: %(default)s)")
    train.add_argument("--checkpoint-every", type=int, default=500, help="steps from one to the next (default: 500)")
    looks = "steps from one look to the next: prediction and collapse, on held-out clips "
    looks += f"(default: {LOOK_EVERY}, or a {SHORT_LOOKS}th of the steps if that is less)"
    train.add_argument("--look-every", type=int, default=None, help=looks)
    train.add_argument("--json", action="store_true", help="print the result as one line of JSON")


def run_train(chosen: argparse.Namespace) -> str:
    """Train as the options say, and tell what came of it; under ``torchrun`` only the first process tells.

    Raises:
        ValueError, OSError, FloatingPointError: as :func:`~lewm_lite.training.fit.fit` and the dataset.
    """
    from tqdm import tqdm

    from lewm_lite.world.episode_dataset import EpisodeDataset

    given = {field.name: getattr(chosen, field.name) for field in fields(FitConfig)}
    config = replace(RECIPES[chosen.preset], **{name: value for name, value in given.items() if value is not None})
    device = pick_device(chosen.device)
    folder = chosen.out or Path("runs") / chosen.preset
    generator = seeded(chosen.seed)
    sizes = PRESETS[chosen.preset]
    data = {"clip_length": sizes.context + 1, "frame_skip": chosen.frame_skip, "in_memory": chosen.in_memory}
    dataset, held_out = (EpisodeDataset(chosen.data, split=split, **data) for split in ("train", "test"))
    model = LeWorldModel(sizes, action_dim=dataset.action_dim, generator=seeded(chosen.seed)).to(device)
    with as_torchrun_says(device):
        first = rank_and_processes()[0] == 0
        with tqdm(total=config.steps, unit=" steps", mininterval=0.5, disable=not first) as bar:

            def show(record) -> None:
                bar.update(record.step - bar.n)
                bar.set_postfix(prediction=f"{record.prediction:.3f}", sigreg=f"{record.sigreg:.2f}", refresh=False)

            history = fit(
                model,
                dataset,
                config,
                generator=generator,
                held_out=held_out,
                folder=folder,
                resume=chosen.resume,
                checkpoint_every=chosen.checkpoint_every,
                look_every=chosen.look_every,
                workers=chosen.workers,
                progress=show,
                warn=lambda words: bar.write(f"warning: {words}", file=sys.stderr) if first else None,
            )
    return _told(history, folder / FILE_NAME, as_json=chosen.json) if first else ""


def _told(history: History, path: Path, *, as_json: bool) -> str:
    record, look = history.records[-1], history.looks[-1]
    if as_json:
        last = {"held_out": look._asdict(), "warnings": history.warnings}
        return json.dumps({"checkpoint": str(path), **record._asdict(), **last})
    return (
        f"written to {path} after {record.step} steps: prediction loss {record.prediction:.3f}, SIGReg "
        f"{record.sigreg:.2f}; held-out episodes {look.prediction:.3f}, standard deviation {look.std:.2f}, effective "
        f"rank {look.effective_rank:.1f}. {look.words}"
    )
