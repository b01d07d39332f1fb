"""The environment keeps Gymnasium's word: its checker, seeds, vectors; and a state can be set, replayed and drawn."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import lewm_lite  # noqa: F401 - enters the environment
from lewm_lite.world.drawing import COLOURS
from lewm_lite.world.rooms import DOOR, LOW, REACH, SPEED, WALL_LEFT
from lewm_lite.world.two_room import TwoRoom

TWO_ROOM = "lewm_lite/TwoRoom-v0"


def run(env, actions, **reset):
    """Frames and states of one episode, its first moment included."""
    frame, info = env.reset(**reset)
    frames, states = [frame], [info["state"]]
    for action in actions:
        frame, _, _, _, info = env.step(action)
        frames.append(frame)
        states.append(info["state"])
    return np.array(frames), np.array(states)


def some_actions(count, *, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 2)).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [{}, {"size": 32}, {"door": "random"}, {"distractor": True, "door": 0.5}, {"render_mode": "rgb_array"}],
    ids=str,
)
def test_gymnasiums_own_checker_has_nothing_to_say(options):
    check_env(gymnasium.make(TWO_ROOM, **options).unwrapped)  # a warning would be an error


def test_the_spaces_are_what_is_seen_and_done():
    env = gymnasium.make(TWO_ROOM, size=48)
    frame, info = env.reset(seed=0)
    assert env.observation_space.contains(frame) and frame.shape == (48, 48, 3)
    assert env.action_space == gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    assert {name: value.shape for name, value in info.items() if np.ndim(value)} == {
        "state": (3,),
        "proprio": (2,),
        "goal": (2,),
    }
    assert {value.dtype for value in info.values() if np.ndim(value)} == {np.dtype(np.float32)}
    assert np.array_equal(info["state"][:2], info["proprio"]) and info["state"][2] == DOOR


def test_the_same_seed_is_the_same_episode_and_another_is_another():
    env = TwoRoom(32, door="random", distractor=True)
    (one, states), (two, _), (other, elsewhere) = (run(env, some_actions(20), seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one[0], other[0]) and not np.array_equal(states[0], elsewhere[0])


def test_resets_without_a_seed_go_on_from_the_last_one():
    env, again = TwoRoom(32), TwoRoom(32)
    followed = [[e.reset(seed=1)[1]["state"], e.reset()[1]["state"], e.reset()[1]["state"]] for e in (env, again)]
    assert np.array_equal(followed[0], followed[1])
    assert len(np.unique(followed[0], axis=0)) == 3


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_many_at_once_are_each_what_one_alone_is(mode):
    actions = some_actions(12).reshape(4, 3, 2)
    many = gymnasium.make_vec(TWO_ROOM, num_envs=3, vectorization_mode=mode, size=32)
    try:
        frames = [many.reset(seed=[7, 8, 9])[0]]
        for step in actions:
            frame, reward, terminated, _, info = many.step(step)
            frames.append(frame)
            assert reward.shape == terminated.shape == (3,) and info["state"].shape == (3, 3)
    finally:
        many.close()
    for place, seed in enumerate((7, 8, 9)):
        alone, _ = run(TwoRoom(32), actions[:, place], seed=seed)
        assert np.array_equal(alone, np.array(frames)[:, place])


def test_a_state_with_its_actions_is_the_same_episode_again():
    env, actions = TwoRoom(32, door="random"), some_actions(60)
    frames, states = run(env, actions, seed=3)
    again, replayed = run(TwoRoom(32), actions[20:], options={"state": states[20]})
    assert np.array_equal(replayed, states[20:]) and np.array_equal(again, frames[20:])


def test_a_goal_can_be_set_and_reaching_it_ends_the_episode_with_a_reward():
    env = gymnasium.make(TWO_ROOM)
    _, info = env.reset(options={"state": (0.25, 0.5), "goal": (0.25 + REACH + 1.5 * SPEED, 0.5, DOOR)})
    assert info["goal"] == pytest.approx([0.25 + REACH + 1.5 * SPEED, 0.5])
    action = np.array([1, 0], np.float32)
    told = [env.step(action)[1:3] for _ in range(2)]
    assert told == [(0.0, False), (1.0, True)]


def test_the_goal_is_in_the_other_room_unless_told_and_is_not_drawn():
    env = TwoRoom(32)
    for seed in range(30):
        info = env.reset(seed=seed)[1]
        assert (info["state"][0] < 0.5) != (info["goal"][0] < 0.5)
    near, far = (env.reset(options={"state": (0.25, 0.5), "goal": goal})[0] for goal in ((0.3, 0.5), (0.8, 0.8)))
    assert np.array_equal(near, far)


def test_an_episode_is_cut_after_a_hundred_steps():
    env = gymnasium.make(TWO_ROOM)
    env.reset(options={"state": (0.2, 0.8), "goal": (0.8, 0.8)})
    stay = np.zeros(2, np.float32)
    ends = [env.step(stay)[2:4] for _ in range(100)]
    assert ends[-1] == (False, True) and set(ends[:-1]) == {(False, False)}


def test_the_door_is_where_it_is_told_or_somewhere_new_each_time():
    assert TwoRoom().reset(seed=0)[1]["state"][2] == DOOR
    assert TwoRoom(door=0.5).reset(seed=0)[1]["state"][2] == 0.5
    assert TwoRoom().reset(options={"door": 0.75})[1]["state"][2] == 0.75
    anywhere = TwoRoom(door="random")
    assert len({float(anywhere.reset(seed=seed)[1]["state"][2]) for seed in range(10)}) == 10
    told = {float(TwoRoom().reset(seed=seed, options={"door": "random"})[1]["state"][2]) for seed in range(10)}
    assert len(told) == 10


def test_actions_beyond_the_bounds_count_as_the_bounds():
    env = TwoRoom()
    env.reset(options={"state": (0.25, 0.5)})
    assert env.step(np.array([9.0, -9.0]))[4]["proprio"] == pytest.approx([0.25 + SPEED, 0.5 - SPEED])


def test_rendering_is_the_observation_or_nothing():
    env = TwoRoom(32, render_mode="rgb_array")
    frame, _ = env.reset(seed=0)
    assert np.array_equal(env.render(), frame)
    silent = TwoRoom(32)
    silent.reset(seed=0)
    assert silent.render() is None


def test_another_state_is_drawn_without_going_there():
    env = TwoRoom(32)
    before, _ = env.reset(options={"state": (0.25, 0.5)})
    there = env.frame((0.75, 0.25, 0.6))
    assert np.array_equal(env.frame(), before) and env.state == pytest.approx([0.25, 0.5, DOOR])
    assert np.array_equal(there, env.reset(options={"state": (0.75, 0.25, 0.6)})[0])


def test_a_disc_can_be_moved_and_recoloured_in_an_instant():
    env = TwoRoom(64)
    env.reset(options={"state": (0.25, 0.5)})
    env.teleport((0.75, 0.5))
    assert env.state == pytest.approx([0.75, 0.5, DOOR])
    assert tuple(env.frame()[32, 48]) == COLOURS["red"]
    env.recolour(agent="blue", background=(200, 220, 255))
    frame = env.step(np.zeros(2))[0]
    assert tuple(frame[32, 48]) == COLOURS["blue"] and tuple(frame[32, 16]) == (200, 220, 255)
    assert tuple(env.reset(options={"state": (0.75, 0.5)})[0][32, 48]) == COLOURS["red"]
    told = {"state": (0.75, 0.5), "colours": {"agent": "green"}}
    assert tuple(env.reset(options=told)[0][32, 48]) == COLOURS["green"]


def test_a_distractor_is_seen_and_changes_nothing_else():
    plain, states = run(TwoRoom(32), some_actions(80), seed=0)
    busy, same = run(TwoRoom(32, distractor=True), some_actions(80), seed=0)
    assert np.array_equal(states, same)
    changed = (plain != busy).any(axis=(1, 2, 3))
    assert changed.mean() > 0.9
    fly = TwoRoom(32, distractor=True)
    fly.reset(seed=0)
    seen = []
    for _ in range(2000):
        fly.step(np.zeros(2))
        seen.append(fly._fly)
    assert np.min(seen) >= LOW and np.max(seen) <= 1 - LOW
    assert (np.abs(np.diff(seen, axis=0)) <= SPEED + 1e-9).all()
    assert np.ptp(seen, axis=0).min() > 0.5  # it gets about


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "size must be an integer of at least 16, got 8"),
        ({"size": 64.0}, "size must be an integer of at least 16"),
        ({"door": 0.05}, "door must be 'random' or a number from 0.125 to 0.875, got 0.05"),
        ({"door": "wide"}, "door must be 'random' or a number from 0.125 to 0.875, got 'wide'"),
        ({"render_mode": "human"}, "render_mode must be None or 'rgb_array', got 'human'"),
    ],
)
def test_an_environment_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TwoRoom(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stat": (0.25, 0.5)}, "options may hold state, goal, door, colours, got 'stat'"),
        ({"state": (0.25,)}, "state must be 2 or 3 finite numbers in a row"),
        ({"state": (0.25, float("nan"))}, "state must be 2 or 3 finite numbers in a row"),
        ({"state": (0.5, 0.8)}, "state must be a place .* where a disc"),
        ({"goal": (0.01, 0.8)}, "goal must be a place .* where a disc"),
        ({"state": (0.25, 0.5, 0.5), "door": 0.5}, "options hold a door, and a state with a door"),
        ({"state": (0.25, 0.5, 0.99)}, "door must be 'random' or a number"),
        ({"door": 2}, "door must be 'random' or a number"),
        ({"colours": {"sky": "blue"}}, "colours may name background, wall, agent, distractor, got 'sky'"),
        ({"colours": {"agent": "mauve"}}, "agent must be one of white, black"),
        ({"state": "abc"}, "state must be 2 or 3 finite numbers in a row, got 'abc'"),
        ({"state": [[0.25, 0.5], 0.5]}, "state must be 2 or 3 finite numbers in a row, got .*0.25"),
        ({"goal": {"x": 0.5}}, "goal must be 2 or 3 finite numbers in a row, got {'x': 0.5}"),
        ({"colours": "red"}, "colours must be a mapping from what is drawn to its colour, got 'red'"),
        ({"colours": {1: "red"}}, "colours may name background, wall, agent, distractor, got 1"),
        ({"colours": {"agent": 7}}, "agent must be one of white, black"),
        ({"colours": {"agent": ("a", "b", "c")}}, "agent must be one of white, black"),
        ({1: 2, "stat": 3}, "options may hold state, goal, door, colours, got 'stat', 1"),
        ({"door": np.array([0.5, 0.5])}, "door must be 'random' or a number"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TwoRoom().reset(options=options)


@pytest.mark.parametrize(
    "options",
    [{"goal": (0.01, 0.8)}, {"state": (0.75, 0.5, 0.6), "goal": (0.5, 0.1)}, {"colours": {"agent": "mauve"}}],
    ids=str,
)
def test_options_that_are_refused_leave_everything_as_it_was(options):
    env = TwoRoom(32, distractor=True)
    env.reset(seed=0, options={"colours": {"agent": "green"}})
    before, info = env.frame(), env._info()
    with pytest.raises(ValueError, match="must be"):
        env.reset(options={"door": 0.7, **options} if "state" not in options else options)
    assert np.array_equal(env.frame(), before)
    assert all(np.array_equal(value, info[name]) for name, value in env._info().items())


def test_what_is_no_action_is_refused():
    env = TwoRoom()
    env.reset(seed=0)
    for action in ([1.0], [[0.0, 0.0]], [float("nan"), 0.0]):
        with pytest.raises(ValueError, match="action must be 2 finite numbers in a row"):
            env.step(np.array(action))
    with pytest.raises(ValueError, match="action must be 2 finite numbers in a row, got None"):
        env.step(None)
    with pytest.raises(ValueError, match="place must be 2 finite numbers in a row, got None"):
        env.teleport(None)
    with pytest.raises(ValueError, match="place must be a place"):
        env.teleport((WALL_LEFT + 0.05, 0.9))
