"""Surprise: how far what is seen is from what was expected, and how well that tells the impossible from the usual."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_evaluation_mode, check_finite, check_floating
from lewm_lite.model.world_model import LeWorldModel


@torch.no_grad()
def surprise(model: LeWorldModel, frames: Tensor, actions: Tensor) -> Tensor:
    """The mean squared error of the prediction of each frame's embedding, from the frames and actions before it.

    Args:
        model: in evaluation mode.
        frames: ``(batch, time, channels, height, width)``, normalised, any number of time steps from 2 on; the
            predictor looks back as far as it can.
        actions: ``(batch, time, action_dim)``, or one time step fewer: what was done at each frame.
    Returns:
        ``(batch, time)``: 0 at the first time step, of which nothing was expected.
    Raises:
        ValueError: the model is in training mode; whatever it refuses. ShapeError: fewer than 2 time steps.
    Source:
        Maes et al. 2026, section 5.2 (violation of expectation).
    """
    check_evaluation_mode(model)
    embeddings = model.encode(frames)
    time = embeddings.shape[1]
    if time < 2:
        raise ShapeError(f"frames must hold at least 2 time steps to be surprised, got shape {tuple(frames.shape)}")
    if actions.ndim != 3 or actions.shape[1] not in (time, time - 1):
        raise ShapeError(f"actions must be (batch, {time}, {model.action_dim}), got shape {tuple(actions.shape)}")
    missed = [torch.zeros_like(embeddings[:, 0, 0])]
    for now in range(1, time):
        since = max(now - model.config.context, 0)
        expected = model.predict(embeddings[:, since:now], actions[:, since:now])[:, -1]
        missed.append((expected - embeddings[:, now]).square().mean(-1))
    return torch.stack(missed, 1)


@dataclass(frozen=True)
class ROC:
    """Each threshold's false alarms and hits, from the strictest on; ``area`` is 1 for a perfect judge, 0.5 for a coin.

    ``area`` is the chance that something strange scores higher than something usual, an equal score being half.
    """

    false_alarms: Tensor  # (thresholds,), from 0 to 1
    hits: Tensor  # (thresholds,), from 0 to 1
    area: float


def roc(usual: Tensor, strange: Tensor) -> ROC:
    """The receiver operating characteristic of scores that should be higher for what is strange.

    Args:
        usual, strange: scores, one a row: ``(samples,)`` each, at least one.
    Raises:
        ShapeError: other shapes. TypeError, ValueError: no finite floating-point numbers.
    Example:
        >>> roc(torch.tensor([0.1, 0.3]), torch.tensor([0.2, 0.4])).area
        0.75
    """
    for name, scores in (("usual", usual), ("strange", strange)):
        check_floating(name, scores)
        if scores.ndim != 1 or not len(scores):
            raise ShapeError(f"{name} must be scores (samples,), at least one, got shape {tuple(scores.shape)}")
        check_finite(name, scores)
    usual, strange = usual.cpu().double(), strange.cpu().double()
    thresholds = torch.cat([usual, strange]).unique().flip(0)
    false_alarms, hits = (
        torch.cat([scores.new_zeros(1), (scores[None] >= thresholds[:, None]).double().mean(1)])
        for scores in (usual, strange)
    )
    return ROC(false_alarms, hits, torch.trapezoid(hits, false_alarms).item())
