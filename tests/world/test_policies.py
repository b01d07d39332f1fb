"""The scripted policy finds the goal, the random one spans its space; both draw from their generator alone."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from lewm_lite import seeded
from lewm_lite.world.policies import RandomPolicy, ThroughDoor, check_action_space
from lewm_lite.world.rooms import REACH, Rooms, distance, random_door


def steps_to_goal(policy, rooms, place, goal, *, most, generator):
    for step in range(most + 1):
        if distance(place, goal) < REACH:
            return step
        info = {"state": np.array([*place, rooms.door], np.float32), "goal": np.array(goal, np.float32)}
        place = rooms.move(place, policy(None, info, generator=generator).tolist())
    return None


def tasks(count, *, other_room):
    generator = np.random.default_rng(0)
    for _ in range(count):
        rooms, right = Rooms(random_door(generator)), bool(generator.integers(2))
        start = rooms.random_place(generator, right=right)
        yield rooms, start, rooms.random_place(generator, right=right != other_room)


@pytest.mark.parametrize("other_room", [True, False])
def test_without_noise_it_is_an_oracle(other_room):
    taken = [
        steps_to_goal(ThroughDoor(0.0), *task, most=60, generator=seeded(0))
        for task in tasks(300, other_room=other_room)
    ]
    assert None not in taken
    assert np.mean(taken) < (40 if other_room else 20)


def test_it_finds_goals_in_the_doorway_and_from_the_doorway():
    rooms = Rooms(0.5)
    places = [(x, y) for x in (0.46, 0.48, 0.5, 0.52, 0.54) for y in (0.475, 0.5, 0.525)]
    outside = [(0.2, 0.9), (0.8, 0.1), (0.44, 0.9), (0.56, 0.9)]
    for start, goal in [(a, b) for a in places + outside for b in places + outside]:
        assert steps_to_goal(ThroughDoor(0.0), rooms, start, goal, most=60, generator=seeded(0)) is not None, (
            start,
            goal,
        )


def test_with_noise_it_still_comes_through_the_door_though_later():
    generator = seeded(0)
    taken = [steps_to_goal(ThroughDoor(), *task, most=400, generator=generator) for task in tasks(60, other_room=True)]
    assert sum(step is None for step in taken) <= 3
    assert np.mean([step for step in taken if step is not None]) > 60


def test_noise_is_what_the_generator_gives_and_stays_inside_the_bounds():
    info = {"state": np.array([0.2, 0.2, 0.5], np.float32), "goal": np.array([0.8, 0.2], np.float32)}
    one, two, other = (ThroughDoor()(None, info, generator=seeded(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    generator = seeded(0)
    many = np.array([ThroughDoor()(None, info, generator=generator) for _ in range(500)])
    assert many.dtype == np.float32 and np.abs(many).max() <= 1
    assert 0.6 < (np.abs(many) == 1).mean() < 0.9  # about three quarters, as its docstring says


def test_in_another_world_it_says_that_it_is_lost():
    with pytest.raises(ValueError, match="through_door finds its way in lewm_lite/TwoRoom-v0 only: .* got nothing"):
        ThroughDoor()(None, {}, generator=seeded(0))


@pytest.mark.parametrize("noise", [-1.0, float("nan"), float("inf")])
def test_noise_that_is_none_is_refused(noise):
    with pytest.raises(ValueError, match="noise must be a finite number of at least 0"):
        ThroughDoor(noise)


def test_the_random_policy_spans_its_space():
    space = spaces.Box(np.array([0.0, -3.0], np.float32), np.array([512.0, -1.0], np.float32))
    policy, generator = RandomPolicy(space), seeded(0)
    many = np.array([policy(None, {}, generator=generator) for _ in range(2000)])
    assert many.dtype == np.float32 and all(space.contains(action) for action in many)
    assert many.mean(0) == pytest.approx([256, -2], rel=0.03)
    assert many.std(0) == pytest.approx([512 / 12**0.5, 2 / 12**0.5], rel=0.05)


@pytest.mark.parametrize(
    "space",
    [spaces.Discrete(4), spaces.Box(0, 1, (2, 2)), spaces.Box(0, 9, (2,), np.int64), spaces.MultiBinary(3)],
    ids=str,
)
def test_actions_that_a_world_model_cannot_be_given_are_refused(space):
    with pytest.raises(ValueError, match="actions must be a row of continuous numbers"):
        check_action_space(space)
    with pytest.raises(ValueError, match="actions must be a row of continuous numbers"):
        RandomPolicy(space)


def test_the_random_policy_needs_bounds():
    with pytest.raises(ValueError, match="the policy random needs bounded actions"):
        RandomPolicy(gymnasium.spaces.Box(-np.inf, np.inf, (2,)))
