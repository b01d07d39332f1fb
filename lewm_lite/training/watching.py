"""Looking at a model while it learns: how well it predicts, whether it collapses; and averages made fit for use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lewm_lite.model.batch_norm import fresh_averages, frozen_averages
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.objectives.collapse_report import collapse_report
from lewm_lite.training.history import Look
from lewm_lite.training.processes import rank_and_processes
from lewm_lite.world.frames import normalise_frames

if TYPE_CHECKING:
    from lewm_lite.world.episode_dataset import EpisodeDataset

SETTLING_BATCHES = 16


def clips_of(dataset: EpisodeDataset, places: list[int], *, like: Tensor) -> tuple[Tensor, Tensor]:
    """Frames and actions of some clips as a model takes them, of the dtype and device of ``like``."""
    frames, actions = zip(*(dataset[place] for place in places), strict=True)
    return prepared(torch.stack(frames), torch.stack(actions), like=like)


def prepared(frames: Tensor, actions: Tensor, *, like: Tensor) -> tuple[Tensor, Tensor]:
    """A batch of clips, moved and normalised where the model is."""
    pixels = frames.to(like.device, non_blocking=True)
    return normalise_frames(pixels).to(like.dtype), actions.to(like.device, like.dtype, non_blocking=True)


def spread_out(dataset: EpisodeDataset, count: int) -> list[int]:
    """Numbers of at most ``count`` clips, evenly over the whole dataset: the same each time."""
    count = min(count, len(dataset))
    return [place * len(dataset) // count for place in range(count)]


@torch.no_grad()
def look_at(model: LeWorldModel, dataset: EpisodeDataset, *, step: int, clips: int) -> Look:
    """Prediction error and health on some clips, by the batch's own statistics; the model is left as it was."""
    frames, actions = clips_of(dataset, spread_out(dataset, clips), like=model.encoder.class_token)
    training = model.training
    with frozen_averages(model.train()):
        embeddings, predictions = model(frames, actions)  # without a generator there is no dropout
    model.train(training)
    prediction = (predictions - embeddings[:, 1:]).square().mean().item()
    found = collapse_report(embeddings.flatten(0, 1).float())
    return Look(step, prediction, found.std, found.effective_rank, found.disease, found.words)


@torch.no_grad()
def settle_averages(model: LeWorldModel, dataset: EpisodeDataset, *, batch_size: int) -> None:
    """Make the running averages of every BatchNorm those of the model as it is; see ``fresh_averages``."""
    places = spread_out(dataset, SETTLING_BATCHES * batch_size)
    batches = max(1, len(places) // batch_size)
    rank, processes = rank_and_processes()
    training = model.training
    with fresh_averages(model.train()):
        for first in range(batches):  # each batch from all over the dataset, and each process with its part of it
            part = places[first::batches][rank::processes]
            model(*clips_of(dataset, part, like=model.encoder.class_token))
    model.train(training)
