"""Many discs walk as one does, to the bit; and the cost is the true distance."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.judging.true_dynamics import true_cost, walk
from lewm_lite.world.rooms import DOOR, Rooms


@pytest.mark.parametrize("start", [(0.25, 0.25), (0.43, 0.2), (0.5, DOOR), (0.6, 0.9), (0.445, 0.155)])
@pytest.mark.parametrize("door", [DOOR, 0.6])
def test_each_walk_is_the_one_that_the_rooms_give(start, door):
    if start[0] == 0.5:
        start = (0.5, door)
    place = Rooms(door).checked("start", start)
    actions = 2 * torch.randn(40, 60, 2, generator=seeded(0)) + torch.tensor([0.3, 0.0])
    found = walk(torch.tensor(place, dtype=torch.float64), actions, door=door)
    sides = set()
    for walked, velocities in zip(found.tolist(), actions.tolist(), strict=True):
        at = place
        for there, velocity in zip(walked, velocities, strict=True):
            at = Rooms(door).move(at, velocity)
            assert tuple(there) == at
        sides.add(at[0] > 0.5)
    if start[0] in (0.43, 0.5):
        assert sides == {False, True}  # some went through the door


def test_the_cost_is_the_squared_distance_from_the_end():
    place, goal = torch.tensor([0.25, 0.5]), torch.tensor([0.25 + 6 / 32, 0.5 + 8 / 32])
    cost = true_cost(place, goal, door=DOOR, frame_skip=2)
    still = torch.zeros(1, 3, 4)
    right = torch.tensor([[[1.0, 0.0, 1.0, 0.0]] * 3])
    assert cost(torch.cat([still, right])).tolist() == pytest.approx([(10 / 32) ** 2, (8 / 32) ** 2])


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match="place must be"):
        walk(torch.zeros(3), torch.zeros(1, 1, 2), door=DOOR)
    with pytest.raises(ShapeError, match=r"actions \(walks, steps, 2\)"):
        walk(torch.zeros(2), torch.zeros(1, 2), door=DOOR)
