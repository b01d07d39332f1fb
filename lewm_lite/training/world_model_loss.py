"""The LeWorldModel's loss: how far predictions miss, and how far the cloud of embeddings is from its target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from lewm_lite.checks import at_least_float32, check_generator
from lewm_lite.model.batch_norm import frozen_averages
from lewm_lite.model.world_model import Foresight, LeWorldModel
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.seeding import seeded

SIGREG_WEIGHT = 0.09  # the authors' lambda: lucas-maes/le-wm at 8edfeb3, config/train/lewm.yaml
NUM_DIRECTIONS = 1024  # theirs too


class WorldModelLoss(NamedTuple):
    """Scalars; ``total`` is prediction plus the weighted SIGReg, and is what has the gradient."""

    total: Tensor
    prediction: Tensor
    sigreg: Tensor


def world_model_loss(
    model: nn.Module,
    frames: Tensor,
    actions: Tensor,
    *,
    sigreg_weight: float,
    generator: torch.Generator,
    num_directions: int = NUM_DIRECTIONS,
) -> WorldModelLoss:
    r"""Mean squared error of the next embedding, plus $\lambda$ times SIGReg of the embeddings at each time step.

    $$L = \overline{(\hat z_{\tau + 1} - z_{\tau + 1})^2} + \frac\lambda T \sum_{\tau = 1}^T \mathrm{SIGReg}(Z_\tau)$$

    Gradient flows into predictions and targets alike. SIGReg is one test per time step, over the batch, and their mean:
    frames of one clip look alike, so that pooled over time they would be fewer points than they seem; and a cloud that
    is wrong at each moment, in different ways, can look right when all moments are thrown together.

    Args:
        model: a :class:`LeWorldModel`, or one wrapped for several processes. In training mode its BatchNorms use the
            batch, and dropout acts.
        frames: ``(batch, time, channels, height, width)``, normalised. actions: ``(batch, time, action_dim)``.
        sigreg_weight: $\lambda$, >= 0. SIGReg grows with the batch: see the notes on ``epps_pulley``.
        generator: directions are drawn from it, fresh at each call, and one number more, from which dropout starts;
            under ``torch.distributed`` it must be in the same state in every process.
        num_directions: $K$.
    Raises:
        ValueError: a negative or infinite ``sigreg_weight``; whatever the model refuses. ShapeError: one clip alone.
        TypeError: no generator.
    Source:
        Maes et al. 2026, arXiv:2603.19312, Algorithm 1 and equation 4, with the authors' code (lucas-maes/le-wm at
        8edfeb3, ``train.py``): the mean over batch, time and dimension where the paper writes a squared length. Theirs
        computes SIGReg in bfloat16 under autocast; ours in float32.
    Example:
        >>> from lewm_lite import LeWorldModel, seeded
        >>> model = LeWorldModel.from_preset("lite", action_dim=2)
        >>> frames, actions = torch.zeros(4, 4, 3, 32, 32), torch.zeros(4, 4, 2)
        >>> loss = world_model_loss(model, frames, actions, sigreg_weight=0.1, generator=seeded(0))
        >>> bool(loss.total == loss.prediction + 0.1 * loss.sigreg)
        True
    """
    if isinstance(sigreg_weight, bool) or not isinstance(sigreg_weight, Real) or not 0 <= sigreg_weight < math.inf:
        raise ValueError(f"sigreg_weight must be a finite number of at least 0, got {sigreg_weight!r}")
    check_generator(generator)
    # Dropout gets a generator of its own, so that processes with batches of different sizes still share directions.
    start = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    rank = dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
    foresight = model(frames, actions, generator=seeded(start + rank, device=frames.device))
    directions = random_directions(foresight.embeddings.shape[-1], num_directions, generator=generator)
    return loss_of(foresight, directions.to(frames.device), sigreg_weight)


def loss_of(foresight: Foresight, directions: Tensor, sigreg_weight: float | Tensor) -> WorldModelLoss:
    """The loss of what a model made of a clip, along directions ``(dim, num_directions)`` that are given."""
    embeddings, predictions = foresight
    prediction = at_least_float32(predictions - embeddings[:, 1:]).square().mean()
    score = sigreg(embeddings.transpose(0, 1), directions)  # (time, batch, dim): samples are the batch
    return WorldModelLoss(prediction + sigreg_weight * score, prediction, score)


def loss_and_gradient(
    model: LeWorldModel,
    parameters: Mapping[str, Tensor],
    frames: Tensor,
    actions: Tensor,
    directions: Tensor,
    sigreg_weight: float | Tensor,
) -> tuple[WorldModelLoss, dict[str, Tensor]]:
    """The loss at given parameters, with its gradient, as a function without side effects: what the page exports.

    Args:
        model: says what is computed; its own parameters are not looked at, nor are its running averages moved.
        parameters: by the names of ``model.named_parameters()``. The rest as for :func:`world_model_loss`, without
            dropout.
    Returns:
        The loss, and the gradient of its total by the names of the parameters.
    """

    values = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    # Attention as plain products and a softmax: the gradient of the fused kernel has no counterpart in a graph.
    with torch.enable_grad(), frozen_averages(model), sdpa_kernel(SDPBackend.MATH):
        loss = loss_of(functional_call(model, values, (frames, actions)), directions, sigreg_weight)
    # torch.func.grad would do, but what it goes through cannot be exported.
    gradient = torch.autograd.grad(loss.total, list(values.values()))
    return WorldModelLoss(*(term.detach() for term in loss)), dict(zip(values, gradient, strict=True))
