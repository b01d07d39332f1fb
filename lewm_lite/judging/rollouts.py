"""How far imagination strays from what happens, by how far ahead it looks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_evaluation_mode, check_positive_integer
from lewm_lite.model.world_model import LeWorldModel


@dataclass(frozen=True)
class RolloutError:
    """By horizon, ``(horizon,)``, in shares of the embeddings' variance: 1 is what a guess of their mean misses."""

    model: Tensor
    standstill: Tensor  # of a guess that nothing moves
    variance: float  # of a feature of an embedding, the mean over features: the unit of both


@torch.no_grad()
def rollout_error(model: LeWorldModel, frames: Tensor, actions: Tensor, *, context: int = 1) -> RolloutError:
    r"""Mean squared error of an open-loop rollout at each horizon, over the variance of embeddings.

    $$e_h = \overline{(\hat z_{c + h} - z_{c + h})^2} \,/\, \overline{(z - \bar z)^2}$$

    Args:
        model: in evaluation mode, or its BatchNorms would look at the batch.
        frames: ``(batch, time, channels, height, width)``, normalised; actions: ``(batch, time, action_dim)`` or one
            time step fewer.
        context: frames that are seen before imagination begins, >= 1.
    Raises:
        ValueError: the model is in training mode, a context that can't be, or embeddings that are all the same.
        ShapeError: too few time steps. As well whatever the model refuses.
    """
    check_evaluation_mode(model)
    check_positive_integer("context", context)
    embeddings = model.encode(frames)
    time = embeddings.shape[1]
    if context >= time:
        raise ValueError(f"context must be from 1 to below the {time} time steps, so that one is left, got {context}")
    if actions.ndim != 3 or actions.shape[1] not in (time, time - 1):
        raise ShapeError(f"actions must be (batch, {time}, {model.action_dim}), got shape {tuple(actions.shape)}")
    past, ahead = actions[:, : context - 1], actions[:, context - 1 : time - 1]
    imagined = model.rollout(embeddings[:, :context], ahead, past_actions=past)
    variance = (embeddings - embeddings.mean((0, 1))).square().mean().item()
    if not variance > 0:
        raise ValueError("all embeddings are the same: the encoder has collapsed, and there is nothing to predict")
    happened = embeddings[:, context:]
    missed, moved = imagined - happened, embeddings[:, context - 1 : context] - happened
    by_horizon = [(error.square().mean((0, 2)) / variance).cpu() for error in (missed, moved)]
    return RolloutError(by_horizon[0], by_horizon[1], variance)
