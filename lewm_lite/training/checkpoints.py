"""A model on disk: one file, without code in it, that is there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lewm_lite.checks import check_finite
from lewm_lite.files import asset_path, asset_root, write_atomically
from lewm_lite.model.presets import WorldModelConfig
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.world.action_blocks import ActionBlocks

FILE_NAME = "checkpoint.safetensors"  # in the folder of a run
_FORMAT = "lewm_lite 1"
_MODEL, _REST = "model.", "training."


class CheckpointError(ValueError):
    """A checkpoint that can't be used. The message says which, what it got, and what it needs."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds."""

    config: WorldModelConfig
    action_dim: int
    action_blocks: ActionBlocks | None  # how its actions come to be
    weights: dict[str, Tensor]  # as of LeWorldModel.state_dict()
    facts: dict[str, Any]  # what was saved beside the weights: of the data, and of the training
    tensors: dict[str, Tensor]  # what going on with a training takes; empty in a checkpoint that is only for use


def write_checkpoint(
    path: str | Path, model: LeWorldModel, *, facts: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None
) -> None:
    """Write a model to one file; if that fails, by lack of space or by being cut off, what was there stays whole.

    Args:
        path: of the file; its folder is made.
        model: whose weights, sizes and ``action_blocks`` are saved.
        facts: what else to know, as JSON has it. tensors: what else to keep, by name.
    Raises:
        OSError: it can't be written.
    """
    content = {f"{_MODEL}{name}": value for name, value in model.state_dict().items()}
    content |= {f"{_REST}{name}": value for name, value in (tensors or {}).items()}
    blocks = None if model.action_blocks is None else asdict(model.action_blocks)
    about = {
        "sizes": asdict(model.config),
        "action_dim": model.action_dim,
        "action_blocks": blocks,
        "facts": dict(facts),
    }
    metadata = {"format": _FORMAT, "about": json.dumps(about)}
    packed = {name: value.detach().cpu().contiguous() for name, value in content.items()}
    write_atomically(Path(path), save(packed, metadata=metadata))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Everything in a file by :func:`write_checkpoint`.

    Args:
        path: the file, or the folder of a run.
    Raises:
        FileNotFoundError: nothing there. CheckpointError: another kind of file, a part of one, or another version's.
    """
    path = Path(path)
    path = path / FILE_NAME if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file, or a part of one ({error})") from error
    if metadata.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} must be a checkpoint of format {_FORMAT!r}, got {metadata.get('format')!r}: "
            "for the authors' files see load_released_weights"
        )
    try:
        return _unpacked(json.loads(metadata["about"]), tensors)
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise CheckpointError(
            f"{path} must say of its model what this version of lewm_lite does, got a file written by another version, "
            f"or changed since ({what})"
        ) from error


def _unpacked(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Checkpoint:
    blocks = about["action_blocks"]
    return Checkpoint(
        WorldModelConfig(**about["sizes"]),
        about["action_dim"],
        blocks and ActionBlocks(blocks["frame_skip"], tuple(blocks["mean"]), tuple(blocks["std"])),
        {name.removeprefix(_MODEL): value for name, value in tensors.items() if name.startswith(_MODEL)},
        about["facts"],
        {name.removeprefix(_REST): value for name, value in tensors.items() if name.startswith(_REST)},
    )


def load_checkpoint(name: str | Path) -> LeWorldModel:
    """A trained model, on the CPU and in evaluation mode.

    Args:
        name: of a checkpoint that comes with the library, such as ``"lite"``; or the path of a file, or of the folder
            of a run, that :func:`lewm_lite.training.fit.fit` wrote.
    Raises:
        FileNotFoundError: no such name, or nothing at the path. CheckpointError: another kind of file, a part of one,
            or weights that don't fit its sizes. ValueError: NaN or infinity among the weights.
    """
    checkpoint = read_checkpoint(checkpoint_path(name))
    model = LeWorldModel(checkpoint.config, action_dim=checkpoint.action_dim, generator=seeded(0))
    put_weights(model, checkpoint)
    return model.eval()


def checkpoint_path(name: str | Path, *, kind: str = "checkpoint") -> Path:
    """Where the file of that name is, or what is at that path: a plain word that is no file here is a name."""
    path = Path(name)
    if isinstance(name, Path) or len(path.parts) != 1 or path.suffix or path.exists():
        return path
    try:
        return asset_path(f"{kind}s/{name}.safetensors")
    except FileNotFoundError as error:
        there = sorted(found.stem for found in (asset_root() / f"{kind}s").glob("*.safetensors"))
        raise FileNotFoundError(
            f"no {kind} named {name!r}, and no file of that name here; there are: {', '.join(there) or 'none'}"
        ) from error


def put_weights(model: LeWorldModel, checkpoint: Checkpoint) -> None:
    """Give a model the weights of a checkpoint, and what it says of actions.

    Raises:
        CheckpointError: a checkpoint of other sizes, or of another preset. ValueError: NaN among the weights.
    """
    own, saved = asdict(model.config) | {"action_dim": model.action_dim}, asdict(checkpoint.config)
    saved["action_dim"] = checkpoint.action_dim
    others = [f"{name} {saved[name]} and not {own[name]}" for name in own if own[name] != saved[name]]
    if others:
        raise CheckpointError(f"the checkpoint is of a model of other sizes: {', '.join(others)}")
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in checkpoint.weights.items()}
    if wanted != found:
        differ = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        raise CheckpointError(f"the checkpoint's weights don't fit its sizes: {differ} differ or are missing")
    for name, value in checkpoint.weights.items():
        if value.is_floating_point():
            check_finite(name, value)
    model.load_state_dict(checkpoint.weights)
    model.action_blocks = checkpoint.action_blocks
