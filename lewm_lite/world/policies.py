"""Who acts while episodes are collected: a policy takes what is seen and told, and a generator, and gives an action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium
import numpy as np
import torch

from lewm_lite.world.rooms import SPEED, WALL_LEFT, WALL_RIGHT


class Policy(Protocol):
    """Anything that can be called so: a function will do."""

    def __call__(
        self, observation: Any, info: Mapping[str, Any], *, generator: torch.Generator
    ) -> np.ndarray:  # (action_dim,)
        """The next action."""


@dataclass(frozen=True)
class ThroughDoor:
    """Walks straight to the goal of :class:`~lewm_lite.world.two_room.TwoRoom`, by the door if it is in the other room.

    Args:
        noise: standard deviation of the Gaussian noise on each action, which is then clipped to [-1, 1]. At 3, as in
            the authors' data, about three quarters of all velocities are the highest there are, to one side or the
            other, and the goal is but a drift beneath them. At 0 the policy is an oracle.
    Raises:
        ValueError: ``noise`` is below 0 or not finite.
    """

    noise: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= self.noise < np.inf:
            raise ValueError(f"noise must be a finite number of at least 0, got {self.noise!r}")

    def __call__(self, observation: Any, info: Mapping[str, Any], *, generator: torch.Generator) -> np.ndarray:
        """The next action, ``(2,)`` float32.

        Raises:
            ValueError: ``info`` has no state and goal, so the environment is another one.
        """
        if "state" not in info or "goal" not in info:
            raise ValueError(
                f"the policy through_door finds its way in lewm_lite/TwoRoom-v0 only: it needs state and goal in info, "
                f"got {', '.join(sorted(info)) or 'nothing'}; try the policy random"
            )
        (x, y, door), (goal_x, goal_y) = info["state"].tolist(), info["goal"].tolist()
        in_doorway, goal_in_doorway = (WALL_LEFT < at < WALL_RIGHT for at in (x, goal_x))
        if in_doorway and not goal_in_doorway:  # straight on: on the way to the goal itself it would rub along the post
            goal_x, goal_y = (WALL_RIGHT if goal_x > 0.5 else WALL_LEFT), door
        elif (x < 0.5) != (goal_x < 0.5) and not in_doorway:
            goal_x, goal_y = 0.5, door
        ahead = np.array([goal_x - x, goal_y - y]) / SPEED
        ahead /= max(1.0, float(np.abs(ahead).max()))
        if self.noise:
            ahead += self.noise * torch.randn(2, generator=generator).numpy()
        return np.clip(ahead, -1, 1).astype(np.float32)


@dataclass(frozen=True)
class RandomPolicy:
    """Any action with equal chance, at every step anew; for any environment with bounded continuous actions.

    Args:
        space: the environment's action space.
    Raises:
        ValueError: actions are not a row of continuous numbers, each between two bounds.
    """

    space: gymnasium.Space

    def __post_init__(self) -> None:
        check_action_space(self.space)
        if not self.space.is_bounded():
            raise ValueError(f"the policy random needs bounded actions, got {self.space}")

    def __call__(self, observation: Any, info: Mapping[str, Any], *, generator: torch.Generator) -> np.ndarray:
        """The next action, of the space's own type."""
        share = torch.rand(self.space.shape, generator=generator, dtype=torch.float64).numpy()
        low, high = self.space.low.astype(float), self.space.high.astype(float)
        return (low + (high - low) * share).astype(self.space.dtype)


def check_action_space(space: gymnasium.Space) -> None:
    """Refuse actions that a world model of continuous actions can't be given."""
    if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1 or space.dtype.kind != "f":
        raise ValueError(f"actions must be a row of continuous numbers, a one-dimensional Box of floats, got {space}")
