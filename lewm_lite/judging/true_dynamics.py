"""The two rooms' own dynamics for many discs at once: what a planner would know that had nothing left to learn."""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError
from lewm_lite.judging.cem import Cost
from lewm_lite.world.rooms import DOOR_HALF, HIGH, LOW, RADIUS, SPEED, WALL_LEFT, WALL_RIGHT

_GAP = DOOR_HALF - RADIUS


def walk(place: Tensor, actions: Tensor, *, door: float) -> Tensor:
    """Where each of many discs comes to: :meth:`lewm_lite.world.rooms.Rooms.move` to the bit, for all of them.

    Args:
        place: ``(2,)``, where all begin, free. actions: ``(walks, steps, 2)`` velocities, clipped to [-1, 1].
        door: y of the door's centre.
    Returns:
        ``(walks, steps, 2)`` float64, the place after each step.
    Raises:
        ShapeError: other shapes.
    """
    if place.shape != (2,) or actions.ndim != 3 or actions.shape[-1] != 2:
        raise ShapeError(
            f"place must be (2,) and actions (walks, steps, 2), got {tuple(place.shape)} and {tuple(actions.shape)}"
        )
    x, y = place.double().expand(len(actions), 2).unbind(-1)
    places = []
    for velocity in actions.double().clamp(-1, 1).unbind(1):
        to_x = (x + SPEED * velocity[:, 0]).clamp(LOW, HIGH)
        free = (y - door).abs() <= _GAP + 1e-7
        to_x = torch.where(~free & (x <= WALL_LEFT), to_x.clamp(max=WALL_LEFT), to_x)
        to_x = torch.where(~free & (x >= WALL_RIGHT), to_x.clamp(min=WALL_RIGHT), to_x)
        to_y = (y + SPEED * velocity[:, 1]).clamp(LOW, HIGH)
        single = to_x.float().double()
        between = (single > WALL_LEFT) & (single < WALL_RIGHT)
        to_y = torch.where(between, to_y.clamp(door - _GAP, door + _GAP), to_y)
        x, y = single, to_y.float().double()
        places.append(torch.stack([x, y], -1))
    return torch.stack(places, 1)


def true_cost(place: Tensor, goal: Tensor, *, door: float, frame_skip: int) -> Cost:
    """The squared distance from a walk's end to the goal, as a cost of blocks of actions in the environment's units.

    It is the latent planner's cost with nothing learned in it: what it misses, the cost misses and not the model.

    Args:
        place, goal: ``(2,)``. door: y of the door's centre. frame_skip: actions in a block.
    """

    def cost(blocks: Tensor) -> Tensor:
        ends = walk(place, blocks.reshape(len(blocks), blocks.shape[1] * frame_skip, 2), door=door)[:, -1]
        return (ends - goal.double()).square().sum(-1)

    return cost
