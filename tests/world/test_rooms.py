"""A disc moves as it is told until it meets a wall, and comes to the other room by the door alone."""

from __future__ import annotations

import numpy as np
import pytest

from lewm_lite.world import rooms as module
from lewm_lite.world.rooms import (
    DOOR_HALF,
    DOOR_RANGE,
    HIGH,
    LOW,
    RADIUS,
    SPEED,
    WALL,
    WALL_LEFT,
    WALL_RIGHT,
    Rooms,
    distance,
    random_door,
)


def walks(rooms: Rooms, steps: int, *, seed: int = 0, scale: float = 1.0):
    """Successive places of a disc under random velocities that are kept for some steps."""
    generator = np.random.default_rng(seed)
    place = rooms.random_place(generator, right=False)
    velocity = np.zeros(2)
    for step in range(steps):
        if step % 7 == 0:
            velocity = scale * generator.uniform(-1, 1, 2)
        before, place = place, rooms.move(place, velocity.tolist())
        yield before, place


def crossings(rooms: Rooms, steps: int) -> list[float]:
    """How far from the door's centre each change of rooms took place; every place on the way is a free one."""
    found = []
    for before, after in walks(rooms, steps):
        assert rooms.holds(after), (before, after)
        if (before[0] < 0.5) != (after[0] < 0.5):
            found.append(max(abs(before[1] - rooms.door), abs(after[1] - rooms.door)))
    return found


@pytest.mark.parametrize("door", [DOOR_RANGE[0], 14 / 64, 0.5, DOOR_RANGE[1]])
def test_a_wandering_disc_changes_rooms_by_the_door_only(door):
    off = crossings(Rooms(door), 20_000)
    assert len(off) > 5
    assert max(off) <= DOOR_HALF - RADIUS + 1e-6


def test_a_wall_that_lets_discs_through_would_be_noticed(monkeypatch):
    monkeypatch.setattr(module, "_GAP", 1.0)
    assert max(crossings(Rooms(0.5), 20_000)) > DOOR_HALF


def test_no_speed_is_high_enough_to_pass_the_wall(monkeypatch):
    monkeypatch.setattr(module, "SPEED", 5.0)
    rooms = Rooms(0.5)
    assert rooms.move((0.2, 0.8), (1, 0)) == pytest.approx((WALL_LEFT, 0.8))
    assert rooms.move((0.8, 0.2), (-1, 0)) == pytest.approx((WALL_RIGHT, 0.2))
    assert rooms.move((0.2, 0.5), (1, 0)) == (HIGH, 0.5)


def test_one_step_goes_as_far_as_the_action_says_and_no_further_than_the_speed():
    rooms = Rooms()
    assert rooms.move((0.25, 0.5), (0.5, -1.0)) == (0.25 + SPEED / 2, 0.5 - SPEED)
    assert rooms.move((0.25, 0.5), (40.0, -3.0)) == (0.25 + SPEED, 0.5 - SPEED)
    assert rooms.move((0.25, 0.5), (0.0, 0.0)) == (0.25, 0.5)


def test_a_disc_slides_along_what_it_runs_into():
    rooms = Rooms(0.25)
    assert rooms.move((WALL_LEFT, 0.5), (1, 1)) == (WALL_LEFT, 0.5 + SPEED)
    assert rooms.move((WALL_RIGHT, 0.5), (-1, -1)) == (WALL_RIGHT, 0.5 - SPEED)
    assert rooms.move((0.25, HIGH), (1, 1)) == (0.25 + SPEED, HIGH)
    assert rooms.move((LOW, 0.5), (-1, 1)) == (LOW, 0.5 + SPEED)
    in_doorway = rooms.move((0.5, 0.25), (0.5, 1))
    assert in_doorway == (0.5 + SPEED / 2, 0.25 + DOOR_HALF - RADIUS)


def test_the_wall_is_where_a_disc_touches_it():
    assert pytest.approx(0.5 - WALL / 2) == WALL_LEFT + RADIUS
    assert pytest.approx(0.5 + WALL / 2) == WALL_RIGHT - RADIUS


def test_a_place_is_what_float32_makes_of_it():
    for _, place in walks(Rooms(), 500):
        assert place == tuple(float(np.float32(number)) for number in place)


@pytest.mark.parametrize(
    ("place", "free"),
    [
        ((0.25, 0.5), True),
        ((0.5, 0.25), True),  # in the doorway
        ((0.5, 0.5), False),  # in the wall
        ((WALL_LEFT, 0.9), True),
        ((WALL_LEFT + 0.01, 0.9), False),
        ((0.05, 0.5), False),  # in the border
        ((0.5, 0.25 + DOOR_HALF), False),  # on the post
        ((1.5, 0.5), False),
    ],
)
def test_a_place_is_free_or_it_is_not(place, free):
    rooms = Rooms(0.25)
    assert rooms.holds(place) is free
    if free:
        assert rooms.checked("state", place) == pytest.approx(place)
    else:
        with pytest.raises(ValueError, match=r"^state must be a place \(x, y\) where a disc of radius 0.03125 fits"):
            rooms.checked("state", place)


def test_what_rounding_pushed_into_a_wall_is_put_beside_it():
    assert Rooms().checked("state", (WALL_LEFT + 5e-7, 0.9))[0] == WALL_LEFT
    assert Rooms().checked("state", (LOW - 5e-7, 0.9))[0] == LOW


def test_random_places_fill_their_room():
    rooms, generator = Rooms(), np.random.default_rng(0)
    for right, (low, high) in ((False, (LOW, WALL_LEFT)), (True, (WALL_RIGHT, HIGH))):
        places = np.array([rooms.random_place(generator, right=right) for _ in range(2000)])
        assert all(rooms.holds(place) for place in places.tolist())
        assert places[:, 0].min() < low + 0.01 and places[:, 0].max() > high - 0.01
        assert places.mean(0) == pytest.approx([(low + high) / 2, 0.5], abs=0.02)


def test_random_doors_fill_their_range():
    generator = np.random.default_rng(0)
    doors = [random_door(generator) for _ in range(2000)]
    assert DOOR_RANGE[0] <= min(doors) < 0.14 and 0.86 < max(doors) <= DOOR_RANGE[1]


@pytest.mark.parametrize("door", [0.1, 0.9, float("nan"), -1.0])
def test_a_door_that_cuts_into_the_border_is_refused(door):
    with pytest.raises(ValueError, match="door must be from 0.125 to 0.875"):
        Rooms(door)


def test_distance_is_euclidean():
    assert distance((0.1, 0.2), (0.4, 0.6)) == pytest.approx(0.5)
