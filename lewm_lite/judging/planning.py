"""Planning in the space of embeddings: the actions whose imagined end is nearest to the goal's embedding."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_evaluation_mode, check_positive_integer
from lewm_lite.judging.cem import CEMPlan, Cost, cem, check_answer, check_search
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.world.action_blocks import ActionBlocks


@dataclass(frozen=True)
class PlannerConfig:
    """Sizes of the search; the defaults are the authors' for two rooms.

    Planning again sooner than the horizon is no gain by itself. Only the end of a plan has a cost, so that a plan for
    25 steps arrives in 25, and one that is made again after 5 may put off arriving for ever.
    """

    horizon: int = 5  # blocks of actions that are planned ahead
    candidates: int = 300
    elites: int = 30
    iterations: int = 10
    replan_every: int = 5  # blocks that are done before the next plan
    answer: str = "mean"  # of the last elites; or "best", the cheapest candidate: see cem
    bounds: tuple[float, float] | None = None  # that actions are imagined within, in the environment's units

    def __post_init__(self) -> None:
        check_search(
            horizon=self.horizon,
            action_dim=1,
            candidates=self.candidates,
            elites=self.elites,
            iterations=self.iterations,
        )
        check_positive_integer("replan_every", self.replan_every)
        if self.replan_every > self.horizon:
            raise ValueError(f"replan_every must be at most the horizon, {self.horizon}, got {self.replan_every}")
        check_answer(self.answer)
        if self.bounds is not None and not _are_bounds(self.bounds):
            raise ValueError(f"bounds must be a lower and a higher number, got {self.bounds!r}")


def _are_bounds(bounds: object) -> bool:
    pair = isinstance(bounds, tuple | list) and len(bounds) == 2 and all(isinstance(end, Real) for end in bounds)
    return pair and bounds[0] < bounds[1]


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what is expected of it."""

    actions: Tensor  # (steps, numbers), in the environment's units
    imagined: Tensor  # (horizon, dim): the embedding expected after each block
    search: CEMPlan


class LatentPlanner:
    r"""CEM over blocks of actions; a plan costs $\lVert \hat z_H - z_{\text{goal}} \rVert^2$.

    Only the end of what is imagined counts, and only by its distance in the space of embeddings: no reward is learned,
    and no state is looked at.

    Args:
        model: in evaluation mode.
        action_blocks: how the model's blocks of actions come to be; without it, the model's own, which a checkpoint
            brings along.
        config: see :class:`PlannerConfig`.
    Raises:
        ValueError: a model in training mode, no blocks of actions, or others than the model was made for.
    Source:
        Maes et al. 2026, section 3.2, with the sizes of the authors' code (lucas-maes/le-wm at 8edfeb3,
        ``config/eval``).
    """

    def __init__(
        self,
        model: LeWorldModel,
        action_blocks: ActionBlocks | None = None,
        *,
        config: PlannerConfig | None = None,
    ) -> None:
        check_evaluation_mode(model)
        blocks = model.action_blocks if action_blocks is None else action_blocks
        if blocks is None:
            raise ValueError(
                "model brings no action_blocks (frame skip, mean and std of actions): load it from a checkpoint, or "
                "pass action_blocks=ActionBlocks.of_dataset(dataset)"
            )
        if blocks.action_dim != model.action_dim:
            raise ValueError(
                f"action_blocks of {blocks.action_dim} numbers do not fit a model of action_dim {model.action_dim}"
            )
        self.model, self.action_blocks, self.config = model, blocks, config or PlannerConfig()

    @torch.no_grad()
    def plan(
        self, frames: Tensor, goal_frame: Tensor, *, generator: torch.Generator, past_actions: Tensor | None = None
    ) -> Plan:
        """The best actions found, from the last of ``frames`` on.

        Args:
            frames: ``(time, channels, height, width)``, normalised: what was seen, a block of actions apart.
            goal_frame: ``(channels, height, width)``, normalised: what should be seen at the end.
            generator: the source of candidates.
            past_actions: ``(time - 1, action_dim)``: the blocks that were done between ``frames``. Without them only
                the last frame counts.
        Raises:
            ShapeError: a goal of another size than the frames, frames of another size than the model's; whatever the
                model refuses.
        """
        if frames.ndim != 4 or goal_frame.shape != frames.shape[1:]:
            raise ShapeError(
                "frames must be (time, channels, height, width) and goal_frame one frame of the same size, got shapes "
                f"{tuple(frames.shape)} and {tuple(goal_frame.shape)}"
            )
        size = self.model.config.image_size
        if frames.shape[2:] != (size, size):
            raise ShapeError(
                f"frames must be {size} pixels high and wide, as those that the model learned from, "
                f"got shape {tuple(frames.shape)}"
            )
        seen = self.model.encode(torch.cat([frames, goal_frame[None]])[None])
        embeddings, goal = seen[:, :-1], seen[0, -1]
        past = None if past_actions is None else past_actions[None]
        sizes = self.config
        search = cem(
            self._cost(embeddings, goal, past),
            horizon=sizes.horizon,
            action_dim=self.model.action_dim,
            candidates=sizes.candidates,
            elites=sizes.elites,
            iterations=sizes.iterations,
            generator=generator,
            answer=sizes.answer,
            device=frames.device,
        )
        blocks = self.bounded(search.actions)
        imagined = self._imagine(embeddings, blocks[None], past)[0]
        return Plan(self.action_blocks.unpack(blocks), imagined, search)

    def bounded(self, blocks: Tensor) -> Tensor:
        """Blocks ``(..., blocks, action_dim)`` with each action brought within the bounds."""
        if self.config.bounds is None:
            return blocks
        return self.action_blocks.pack(self.action_blocks.unpack(blocks).clamp(*self.config.bounds))

    def _cost(self, embeddings: Tensor, goal: Tensor, past: Tensor | None) -> Cost:
        def cost(blocks: Tensor) -> Tensor:
            ends = self._imagine(embeddings, self.bounded(blocks), past)[:, -1]
            return (ends - goal).square().sum(-1)

        return cost

    def _imagine(self, embeddings: Tensor, blocks: Tensor, past: Tensor | None) -> Tensor:
        several = (len(blocks), -1, -1)
        past = None if past is None else past.expand(several)
        return self.model.rollout(embeddings.expand(several), blocks, past_actions=past)
