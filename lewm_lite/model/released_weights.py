"""The authors' released weights under our names: what is called what, and how to load it.

The encoder of the released files is a ``ViTModel`` of Hugging Face transformers, which renamed its layers between its
versions 4 and 5; a file saved by either is taken. Our attention keeps queries, keys and values in one matrix, and our
patches are read by a matrix instead of a convolution: some of our tensors are three of theirs joined, or one reshaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from lewm_lite.checks import check_finite
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.world.frames import CHANNELS

# How each generation names what a block of the encoder holds; the number of the block stands in for {}.
_ENCODER_BLOCK = {
    "transformers 4": {
        "attention.queries_keys_values": tuple(
            f"encoder.encoder.layer.{{}}.attention.attention.{name}" for name in ("query", "key", "value")
        ),
        "attention.output": ("encoder.encoder.layer.{}.attention.output.dense",),
        "mlp.hidden": ("encoder.encoder.layer.{}.intermediate.dense",),
        "mlp.output": ("encoder.encoder.layer.{}.output.dense",),
        "attention_norm": ("encoder.encoder.layer.{}.layernorm_before",),
        "mlp_norm": ("encoder.encoder.layer.{}.layernorm_after",),
    },
    "transformers 5": {
        "attention.queries_keys_values": tuple(
            f"encoder.layers.{{}}.attention.{name}" for name in ("q_proj", "k_proj", "v_proj")
        ),
        "attention.output": ("encoder.layers.{}.attention.o_proj",),
        "mlp.hidden": ("encoder.layers.{}.mlp.fc1",),
        "mlp.output": ("encoder.layers.{}.mlp.fc2",),
        "attention_norm": ("encoder.layers.{}.layernorm_before",),
        "mlp_norm": ("encoder.layers.{}.layernorm_after",),
    },
}
GENERATIONS = tuple(_ENCODER_BLOCK)
_PREDICTOR_BLOCK = {
    "attention_norm": "attn.norm",
    "attention.queries_keys_values": "attn.to_qkv",
    "attention.output": "attn.to_out.0",
    "mlp_norm": "mlp.net.0",
    "mlp.hidden": "mlp.net.1",
    "mlp.output": "mlp.net.4",
    "modulation": "adaLN_modulation.1",
}
_PROJECTOR = {"hidden": "net.0", "norm": "net.1", "output": "net.3"}
_LAYERS = {
    "encoder.patches": "encoder.embeddings.patch_embeddings.projection",
    "encoder.norm": "encoder.layernorm",
    "predictor.norm": "predictor.transformer.norm",
    "action_encoder.narrow": "action_encoder.patch_embed",
    "action_encoder.hidden": "action_encoder.embed.0",
    "action_encoder.output": "action_encoder.embed.2",
    **{f"projector.{ours}": f"projector.{theirs}" for ours, theirs in _PROJECTOR.items()},
    **{f"prediction_projector.{ours}": f"pred_proj.{theirs}" for ours, theirs in _PROJECTOR.items()},
}
_PARAMETERS = {
    "encoder.class_token": "encoder.embeddings.cls_token",
    "encoder.positions": "encoder.embeddings.position_embeddings",
    "predictor.positions": "predictor.pos_embedding",
}


class Source(NamedTuple):
    """Where one of our tensors comes from: released tensors of one shape, joined on axis 0, then reshaped."""

    names: tuple[str, ...]
    shape: tuple[int, ...]  # of each of them


def released_sources(model: LeWorldModel, generation: str = GENERATIONS[0]) -> dict[str, Source]:
    """Our name -> names and shape in a released file, for every tensor of the model's state.

    Raises:
        ValueError: a generation that is not one of ``GENERATIONS``.
    """
    if generation not in GENERATIONS:
        raise ValueError(f"generation must be one of {list(GENERATIONS)}, got {generation!r}")
    sources = {}
    for ours, tensor in model.state_dict().items():
        names = _released_names(ours, generation)
        shape = (tensor.shape[0] // len(names), *tensor.shape[1:]) if len(names) > 1 else tuple(tensor.shape)
        if ours == "encoder.patches.weight":
            patch = model.config.patch_size
            shape = (shape[0], CHANNELS, patch, patch)
        elif ours == "action_encoder.narrow.weight":
            shape = (*shape, 1)
        sources[ours] = Source(names, shape)
    return sources


def _released_names(ours: str, generation: str) -> tuple[str, ...]:
    if ours in _PARAMETERS:
        return (_PARAMETERS[ours],)
    layer, _, entry = ours.rpartition(".")
    if layer in _LAYERS:
        return (f"{_LAYERS[layer]}.{entry}",)
    part, _, number, inner = layer.split(".", 3)  # encoder.blocks.3.mlp.hidden
    if part == "encoder":
        return tuple(f"{name.format(number)}.{entry}" for name in _ENCODER_BLOCK[generation][inner])
    return (f"predictor.transformer.layers.{number}.{_PREDICTOR_BLOCK[inner]}.{entry}",)


def load_released_weights(model: LeWorldModel, state_dict: Mapping[str, Tensor]) -> None:
    """Put the authors' released weights into a model; either all are taken, or none and the error says why.

    Args:
        model: of the preset ``"paper"``, with the file's ``action_dim``: 10, or 25 for OGBench-Cube.
        state_dict: what ``torch.load("weights.pt", weights_only=True)`` gives.
    Raises:
        TypeError: not a mapping of names to tensors, or a tensor of another dtype than the model's.
        ValueError: names missing or left over, other shapes, NaN or infinity among the numbers.
    Source:
        The files ``weights.pt`` of Maes et al. 2026 (named in the README of lucas-maes/le-wm at 8edfeb3).
    """
    if not isinstance(state_dict, Mapping) or not all(isinstance(value, Tensor) for value in state_dict.values()):
        raise TypeError(
            f"state_dict must map names to tensors, got {type(state_dict).__name__}: "
            "of a whole saved module pass module.state_dict()"
        )
    generation = max(GENERATIONS, key=lambda name: len(_flat_names(model, name) & state_dict.keys()))
    sources = released_sources(model, generation)
    _refuse_other_names(_flat_names(model, generation), set(state_dict), generation)
    _refuse_other_tensors(model, sources, state_dict)
    with torch.no_grad():
        for ours, tensor in model.state_dict().items():
            parts = [state_dict[name] for name in sources[ours].names]
            tensor.copy_((torch.cat(parts) if len(parts) > 1 else parts[0]).reshape(tensor.shape))


def to_released_names(model: LeWorldModel, generation: str = GENERATIONS[0]) -> dict[str, Tensor]:
    """The model's state as the authors' code would save it: :func:`load_released_weights` the other way round."""
    state, released = model.state_dict(), {}
    for ours, (names, shape) in released_sources(model, generation).items():
        parts = state[ours].chunk(len(names)) if len(names) > 1 else (state[ours],)
        released |= {name: part.reshape(shape).clone() for name, part in zip(names, parts, strict=True)}
    return released


def _flat_names(model: LeWorldModel, generation: str) -> set[str]:
    return {name for source in released_sources(model, generation).values() for name in source.names}


def _refuse_other_names(wanted: set[str], given: set[str], generation: str) -> None:
    missing, surplus = sorted(wanted - given), sorted(given - wanted)
    if missing or surplus:
        raise ValueError(
            f"state_dict must hold the {len(wanted)} tensors of this model, named as by {generation}: "
            f"{len(missing)} missing {missing}; {len(surplus)} surplus {surplus}. "
            "The authors' files are of the preset 'paper'"
        )


def _refuse_other_tensors(model: LeWorldModel, sources: dict[str, Source], state_dict: Mapping[str, Tensor]) -> None:
    own = model.state_dict()
    others = []
    for ours, (names, shape) in sources.items():
        for name in names:
            found = state_dict[name]
            if tuple(found.shape) != shape:
                others.append(f"{name} is {tuple(found.shape)} and not {shape}")
            elif found.dtype != own[ours].dtype:
                raise TypeError(f"{name} must be {own[ours].dtype} like the model's, got {found.dtype}")
            elif found.is_floating_point():
                check_finite(name, found)
    if others:
        action_dim = state_dict["action_encoder.patch_embed.weight"].shape[1:2]
        raise ValueError(
            f"state_dict is of a model of other sizes: {'; '.join(others)}. Is this model of the preset that was "
            f"saved, with action_dim {', '.join(map(str, action_dim))}?"
        )
