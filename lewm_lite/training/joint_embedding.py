r"""One training step of a joint-embedding model under any objective; nothing else differs between objectives.

The model embeds two successive observations and predicts the second embedding from the first. What keeps it from giving
every observation the same embedding is a few numbers: weights of terms, whether the target comes from a teacher, and
whether gradient passes through the target. The same function trains many models at once, and, exported, in the page.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

from lewm_lite.model.joint_embedding import JointEmbeddingConfig, pack, predicted, unpack
from lewm_lite.model.mlp import mlp
from lewm_lite.objectives.sigreg import Score, sigreg
from lewm_lite.objectives.teacher import averaged
from lewm_lite.objectives.vicreg import (
    PUBLISHED_WEIGHTS,
    covariance_penalty,
    negative_variance,
    variance_hinge,
)
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step

MOMENTUM = 0.99  # of a teacher, per step


class Objective(NamedTuple):
    """What is asked beside the prediction, whose weight is 1. Numbers, or tensors with one entry per model."""

    sigreg: float | Tensor = 0.0  # weights of the terms
    variance: float | Tensor = 0.0
    covariance: float | Tensor = 0.0
    unbounded_variance: float | Tensor = 0.0
    teacher: float | Tensor = 0.0  # 1: the target comes from the teacher's encoder; 0: from the encoder itself
    stop_gradient: float | Tensor = 0.0  # 1: no gradient passes through the target


SIGREG_WEIGHT = 0.1
_INVARIANCE, _VARIANCE, _COVARIANCE = PUBLISHED_WEIGHTS  # VICReg's, divided by the first: prediction has weight 1
OBJECTIVES: dict[str, Objective] = {
    "none": Objective(),
    "ema_stop_gradient": Objective(teacher=1.0, stop_gradient=1.0),
    "stop_gradient_only": Objective(stop_gradient=1.0),
    "ema_only": Objective(teacher=1.0),
    "variance_only": Objective(variance=1.0),
    "variance_unbounded": Objective(unbounded_variance=1.0),
    # The authors average the two views' variance terms and add up their covariance terms; ours are both averaged.
    "vicreg": Objective(variance=_VARIANCE / _INVARIANCE, covariance=2 * _COVARIANCE / _INVARIANCE),
    "sigreg": Objective(sigreg=SIGREG_WEIGHT),
}


def side_by_side(objectives: list[Objective]) -> Objective:
    """One objective per model -> one whose entries are tensors ``(models,)``, as :func:`training_step` takes it."""
    return Objective(*(torch.tensor([float(value) for value in values]) for values in zip(*objectives, strict=True)))


class Training(NamedTuple):
    """Models in training, one per row."""

    parameters: Tensor  # (models, parameters)
    running_mean: Tensor  # Adam's two running moments, of the same shape
    running_square: Tensor
    steps: Tensor  # a scalar: steps taken

    @classmethod
    def of(cls, parameters: Tensor) -> Training:
        """Before the first step."""
        return cls(parameters, torch.zeros_like(parameters), torch.zeros_like(parameters), torch.tensor(0.0))


class Terms(NamedTuple):
    """What the loss was made of, before weights: scalars, or ``(models,)`` of a step."""

    prediction: Tensor
    sigreg: Tensor
    variance: Tensor
    covariance: Tensor


def joint_embedding_loss(
    network: dict[str, Tensor],
    first: Tensor,
    second: Tensor,
    directions: Tensor,
    objective: Objective,
    *,
    score: Score = sigreg,
) -> tuple[Tensor, Terms]:
    r"""Prediction error plus the objective's weighted terms, for one model.

    $\overline{(p(f(o_1)) - y)^2} + \sum_i w_i\,T_i$, where the target $y$ is $f(o_2)$, or a teacher's $f'(o_2)$,
    with or without gradient. Terms look at each moment's embeddings by themselves and are averaged over the two.

    Args:
        network: parameters by name, as :func:`lewm_lite.model.joint_embedding.unpack` gives them.
        first, second: ``(batch, observation_dim)``, the observations of two successive moments.
        directions: ``(dim, num_directions)``, for SIGReg.
        objective: weights and switches, scalars.
        score: what stands for SIGReg.
    Returns:
        The loss, and its terms.
    Source:
        Sobal et al. 2022, arXiv:2211.10831, for prediction between moments with VICReg's terms; Maes et al. 2026,
        arXiv:2603.19312, equation 4, for SIGReg; Grill et al. 2020, arXiv:2006.07733, for the teacher. The published
        systems differ in much else; here nothing does.
    """
    embeddings = mlp(network, torch.stack([first, second]), prefix="encoder.")
    terms = Terms(
        prediction_error(network, embeddings, second, objective),
        score(embeddings, directions),
        variance_hinge(embeddings),
        covariance_penalty(embeddings),
    )
    loss = (
        terms.prediction
        + objective.sigreg * terms.sigreg
        + objective.variance * terms.variance
        + objective.covariance * terms.covariance
        + objective.unbounded_variance * negative_variance(embeddings)
    )
    return loss, terms


def prediction_error(network: dict[str, Tensor], embeddings: Tensor, second: Tensor, objective: Objective) -> Tensor:
    """Mean squared error of the second moment's predicted embedding, whose target is as the objective says.

    Args:
        network: parameters by name. embeddings: ``(2, batch, dim)``, of both moments.
        second: ``(batch, observation_dim)``, for the teacher to embed. objective: its two switches are looked at.
    """
    here, there = embeddings.unbind()
    target = objective.teacher * mlp(network, second, prefix="teacher.") + (1 - objective.teacher) * there
    target = objective.stop_gradient * target.detach() + (1 - objective.stop_gradient) * target
    return (predicted(network, here) - target).square().mean()


def training_step(
    training: Training,
    first: Tensor,
    second: Tensor,
    directions: Tensor,
    objective: Objective,
    *,
    config: JointEmbeddingConfig,
    optimiser: AdamWConfig,
    momentum: float = MOMENTUM,
    score: Score = sigreg,
) -> tuple[Training, Terms]:
    """One step of every model, each under its own objective.

    Where the target has gradient, so has the teacher, and the optimiser moves it too; after that every teacher moves
    towards its encoder by the share ``1 - momentum``, and where no teacher is used it becomes the encoder.

    Args:
        training: the models.
        first, second: ``(batch, observation_dim)`` for all models, or ``(models, batch, observation_dim)``.
        directions: ``(dim, num_directions)`` for all models, or ``(models, dim, num_directions)``.
        objective: tensors ``(models,)``, from :func:`side_by_side`.
        config, optimiser, momentum, score: what all models share.
    Returns:
        The models after the step; the terms of each before it, ``(models,)``.
    """

    def one(vector: Tensor, *given: Tensor) -> tuple[Tensor, Terms]:
        loss = partial(joint_embedding_loss, score=score)
        gradients, (_, terms) = grad_and_value(loss, has_aux=True)(unpack(vector, config), *given)
        return pack(gradients, config), terms

    axes = tuple(0 if given.ndim == 3 else None for given in (first, second, directions))
    all_models = vmap(one, in_dims=(0, *axes, 0))
    gradients, terms = all_models(training.parameters, first, second, directions, objective)
    state = AdamWState({"all": training.running_mean}, {"all": training.running_square}, training.steps)
    moved, state = adamw_step({"all": training.parameters}, {"all": gradients}, state, optimiser)
    followed = _follow(moved["all"], momentum * objective.teacher, config)
    return Training(followed, state.mean["all"], state.square["all"], state.steps), terms


def _follow(parameters: Tensor, momentum: Tensor, config: JointEmbeddingConfig) -> Tensor:
    """Every teacher, the last stretch of each row, moves towards the encoder, the first stretch."""
    teacher = sum(torch.Size(shape).numel() for name, shape in config.shapes().items() if name.startswith("teacher."))
    student, kept, teachers = parameters[:, :teacher], parameters[:, :-teacher], parameters[:, -teacher:]
    moved = averaged({"all": teachers}, {"all": student}, momentum[:, None])["all"]
    return torch.cat([kept, moved], dim=1)


def embed(parameters: Tensor, observations: Tensor, config: JointEmbeddingConfig) -> Tensor:
    """``(models, parameters)``, ``(samples, observation_dim)`` -> ``(models, samples, dim)``."""
    return vmap(lambda vector: mlp(unpack(vector, config), observations, prefix="encoder."))(parameters)
