r"""The LeWorldModel's prediction, kept from collapse by older means: for comparison, since nothing else differs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lewm_lite.checks import at_least_float32
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.objectives.teacher import EMATeacher
from lewm_lite.objectives.vicreg import covariance_penalty, negative_variance, variance_hinge
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import MOMENTUM, Objective
from lewm_lite.training.world_model_loss import WorldModelLoss


class Rival:
    r"""What is minimised in place of :func:`~lewm_lite.training.world_model_loss.world_model_loss`, and its teacher.

    $\overline{(\hat z_{\tau+1} - y_{\tau+1})^2} + \sum_i w_i T_i$, where the target $y$ is the embedding itself, or a
    teacher's of the same frame, with or without gradient. Each term looks at one time step's embeddings over the
    batch, and is averaged over time steps, as SIGReg is.

    Args:
        model: to be trained; a teacher begins as its copy.
        objective: weights of the terms, and whether there is a teacher (1) and gradient stops at the target (1).
    Raises:
        ValueError: a teacher without stop-gradient: the copy is not trained, so that no gradient could pass it.
    Source:
        Terms as :func:`lewm_lite.training.joint_embedding.joint_embedding_loss` has them. A world model with VICReg's
        terms: Sobal et al. 2022, arXiv:2211.10831; with a teacher: Assran et al. 2025 (V-JEPA 2), arXiv:2506.09985.
    """

    def __init__(self, model: LeWorldModel, objective: Objective) -> None:
        if objective.teacher and not objective.stop_gradient:
            raise ValueError("objective has a teacher without stop_gradient: a teacher's targets carry no gradient")
        self.objective = objective
        self.teacher = EMATeacher(model, momentum=MOMENTUM) if objective.teacher else None

    def loss(
        self,
        model: nn.Module,
        frames: Tensor,
        actions: Tensor,
        *,
        sigreg_weight: float,
        generator: torch.Generator,
        num_directions: int,
    ) -> WorldModelLoss:
        """As :func:`~lewm_lite.training.world_model_loss.world_model_loss`, in the place of which it stands."""
        start = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        embeddings, predictions = model(frames, actions, generator=seeded(start, device=frames.device))
        directions = random_directions(embeddings.shape[-1], num_directions, generator=generator)
        prediction = at_least_float32(predictions - self._targets(embeddings, frames)).square().mean()
        clouds = embeddings.transpose(0, 1)  # (time, batch, dim): samples are the batch
        score = sigreg(clouds if sigreg_weight else clouds.detach(), directions.to(frames.device))
        total = prediction + sigreg_weight * score + self._terms(clouds)
        return WorldModelLoss(total, prediction, score)

    def after_step(self, model: LeWorldModel) -> None:
        """The teacher follows, after the optimiser's step."""
        if self.teacher is not None:
            self.teacher.update(model)

    def _targets(self, embeddings: Tensor, frames: Tensor) -> Tensor:
        if self.teacher is not None:
            with torch.no_grad():
                return self.teacher.copy.encode(frames)[:, 1:]
        targets = embeddings[:, 1:]
        return targets.detach() if self.objective.stop_gradient else targets

    def _terms(self, clouds: Tensor) -> Tensor:
        asked = self.objective
        weighted = (
            (asked.variance, variance_hinge),
            (asked.covariance, covariance_penalty),
            (asked.unbounded_variance, negative_variance),
        )
        return sum((weight * term(clouds) for weight, term in weighted if weight), clouds.new_zeros(()))
