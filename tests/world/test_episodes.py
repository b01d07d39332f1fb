"""What was collected is what happened, in the public columns, the same for the same seed, and whole or not there."""

from __future__ import annotations

import importlib.util
import json

import gymnasium
import h5py
import numpy as np
import pytest

import lewm_lite
from lewm_lite import seeded
from lewm_lite.world.episodes import collect_episodes, run_episode
from lewm_lite.world.policies import RandomPolicy, ThroughDoor
from lewm_lite.world.two_room import TwoRoom

COLUMNS = ["action", "ep_len", "ep_offset", "episode_idx", "pixels", "proprio", "state", "step_idx"]


def make(**options):
    return gymnasium.make("lewm_lite/TwoRoom-v0", **{"size": 16, **options})


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "rooms.h5"
    return collect_episodes(make(door="random"), ThroughDoor(), episodes=4, path=path, seed=0)


def test_it_opens_with_plain_h5py_in_the_public_layout(collected):
    with h5py.File(collected.path) as file:
        assert sorted(file) == COLUMNS
        rows = len(file["pixels"])
        assert (rows, len(file["ep_len"])) == (collected.frames, collected.episodes)
        assert file["pixels"].shape == (rows, 16, 16, 3) and file["pixels"].dtype == np.uint8
        assert file["action"].shape == (rows, 2) and file["action"].dtype == np.float32
        assert file["state"].shape == (rows, 3) and file["proprio"].shape == (rows, 2)
        lengths, offsets = file["ep_len"][:], file["ep_offset"][:]
        assert lengths.sum() == rows and offsets.tolist() == [0, *np.cumsum(lengths)[:-1]]
        assert file["episode_idx"][:].tolist() == np.repeat(np.arange(4), lengths).tolist()
        assert file["step_idx"][:].tolist() == [step for length in lengths for step in range(length)]


def test_only_an_episodes_last_row_has_no_action(collected):
    with h5py.File(collected.path) as file:
        last = file["ep_offset"][:] + file["ep_len"][:] - 1
        without = np.isnan(file["action"][:]).all(1)
        assert np.flatnonzero(without).tolist() == last.tolist()
        assert np.isnan(file["action"][:]).any(1).sum() == len(last)


def test_each_action_leads_from_its_row_to_the_next(collected):
    env = TwoRoom(16)
    with h5py.File(collected.path) as file:
        for start, length in zip(file["ep_offset"][:], file["ep_len"][:]):
            frame, _ = env.reset(options={"state": file["state"][start]})
            for row in range(start, start + length):
                assert np.array_equal(frame, file["pixels"][row])
                assert np.array_equal(env.state, file["state"][row])
                assert np.array_equal(env.state[:2], file["proprio"][row])
                if row < start + length - 1:
                    frame = env.step(file["action"][row])[0]


def test_it_says_where_it_came_from(collected):
    with h5py.File(collected.path) as file:
        told = dict(file.attrs)
    assert told["environment"] == "lewm_lite/TwoRoom-v0" and told["policy"] == "ThroughDoor(noise=3.0)"
    assert json.loads(told["environment_arguments"]) == {"size": 16, "door": "random"}
    assert told["seed"] == 0 and told["lewm_lite"] == lewm_lite.__version__


def test_the_same_seed_gives_the_same_bytes_and_another_other_episodes(collected, tmp_path):
    again, other = (
        collect_episodes(make(door="random"), ThroughDoor(), episodes=4, path=tmp_path / f"{seed}.h5", seed=seed)
        for seed in (0, 1)
    )
    assert again.path.read_bytes() == collected.path.read_bytes()
    with h5py.File(other.path) as file, h5py.File(collected.path) as first:
        for name in ("state", "action"):
            assert not np.array_equal(file[name][0], first[name][0])


def test_a_longer_collection_begins_with_the_shorter_one(collected, tmp_path):
    longer = collect_episodes(make(door="random"), ThroughDoor(), episodes=6, path=tmp_path / "six.h5", seed=0)
    with h5py.File(collected.path) as four, h5py.File(longer.path) as six:
        for name in COLUMNS:
            assert np.array_equal(six[name][: len(four[name])], four[name][:], equal_nan=name == "action")


def test_episodes_differ_and_each_can_be_run_alone(collected):
    env = make(door="random")
    third = run_episode(env, ThroughDoor(), seed=0, index=2)
    with h5py.File(collected.path) as file:
        rows = np.flatnonzero(file["episode_idx"][:] == 2)
        assert np.array_equal(file["pixels"][rows[0] : rows[-1] + 1], third["pixels"])
        starts = file["state"][:][file["ep_offset"][:]]
    assert len(np.unique(starts, axis=0)) == 4


def test_progress_is_told_after_each_episode(tmp_path):
    told = []
    written = collect_episodes(
        make(), ThroughDoor(0.0), episodes=3, path=tmp_path / "a.h5", seed=0, progress=told.append
    )
    assert len(told) == 3 and sum(told) == written.frames


def test_a_plain_function_is_a_policy_and_max_steps_ends_what_never_ends(tmp_path):
    def stay(observation, info, *, generator):
        return np.zeros(2)

    written = collect_episodes(TwoRoom(16), stay, episodes=2, path=tmp_path / "a.h5", seed=0, max_steps=7)
    assert written.frames == 16
    with h5py.File(written.path) as file:
        assert file.attrs["environment"] == "TwoRoom"
        assert (file["pixels"][:8] == file["pixels"][0]).all()


def test_frames_are_brought_to_the_size_that_is_asked_for(tmp_path):
    written = collect_episodes(make(size=64), ThroughDoor(), episodes=1, path=tmp_path / "a.h5", seed=0, size=24)
    assert written.image_size == (24, 24)


# ---------------------------------------------------------------------------------------------- whole or not at all


def test_a_file_that_is_there_is_left_alone_unless_told(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"a.h5 is there already: name another file, or .* \(--force\)"):
        collect_episodes(make(), ThroughDoor(), episodes=1, path=path, seed=0)
    assert path.read_bytes() == b"mine"
    collect_episodes(make(), ThroughDoor(), episodes=1, path=path, seed=0, overwrite=True)
    assert path.read_bytes()[1:4] == b"HDF"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_what_fails_half_way_leaves_nothing_and_spoils_nothing(failure, tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"mine")

    def fail(frames):
        raise failure

    with pytest.raises(failure):
        collect_episodes(make(), ThroughDoor(), episodes=2, path=path, seed=0, overwrite=True, progress=fail)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.h5"] and path.read_bytes() == b"mine"


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"episodes": 0}, "episodes must be an integer of at least 1, got 0"),
        ({"seed": -1}, "seed must be an integer from 0"),
        ({"seed": 0.5}, "seed must be an integer from 0"),
        ({"size": 0}, "size must be an integer of at least 1, got 0"),
        ({"max_steps": 0}, "max_steps must be an integer of at least 1, got 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_anything_runs(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        collect_episodes(make(), ThroughDoor(), **{"episodes": 1, "path": tmp_path / "a.h5", "seed": 0, **arguments})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", [np.zeros(3), np.array([np.nan, 0]), np.zeros((1, 2)), 0.0], ids=str)
def test_a_policy_that_gives_no_action_is_refused(action, tmp_path):
    with pytest.raises(ValueError, match="the policy must give 2 finite numbers in a row, got shape"):
        collect_episodes(make(), lambda *_, **__: action, episodes=1, path=tmp_path / "a.h5", seed=0)
    assert list(tmp_path.iterdir()) == []


def test_discrete_actions_are_refused(tmp_path):
    class Discrete(TwoRoom):
        def __init__(self):
            super().__init__(16)
            self.action_space = gymnasium.spaces.Discrete(4)

    with pytest.raises(ValueError, match="actions must be a row of continuous numbers"):
        collect_episodes(Discrete(), ThroughDoor(), episodes=1, path=tmp_path / "a.h5", seed=0)


def test_a_state_that_is_not_finite_is_refused(tmp_path):
    class Lost(TwoRoom):
        state = property(lambda self: np.array([np.nan, 0, 0.5], np.float32))

    with pytest.raises(ValueError, match="state must be finite numbers, got"):
        collect_episodes(Lost(16), RandomPolicy(TwoRoom().action_space), episodes=1, path=tmp_path / "a.h5", seed=0)


class Telling(TwoRoom):
    """Tells its state as ``tell(episode, step, state)`` says, None being silence."""

    def __init__(self, tell):
        super().__init__(16)
        self.tell, self.episode = tell, -1

    def reset(self, **arguments):
        self.episode, self.steps = self.episode + 1, 0
        return super().reset(**arguments)

    def step(self, action):
        self.steps += 1
        return super().step(action)

    def _info(self):
        info = super()._info()
        state = self.tell(self.episode, self.steps, info.pop("state"))
        return info if state is None else {**info, "state": state}


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        (
            lambda episode, step, state: None if step else state,
            "state must be told at every step or at none, got it at step 0 and not at step 1",
        ),
        (
            lambda episode, step, state: state if step == 2 else None,
            "state must be told at every step or at none, got it at step 2 and not at step 0",
        ),
        (
            lambda episode, step, state: state[: 3 - step],
            r"state must keep its shape, got \(2,\) at step 1 after \(3,\) at step 0",
        ),
        (
            lambda episode, step, state: state if episode else None,
            "state must be told at every step or at none, got it at episode 1 and not at episode 0",
        ),
        (
            lambda episode, step, state: None if episode else state,
            "state must be told at every step or at none, got it at episode 0 and not at episode 1",
        ),
        (
            lambda episode, step, state: state[: 3 - episode],
            r"state must keep its shape, got \(2,\) at episode 1 after \(3,\) at episode 0",
        ),
    ],
    ids=["first only", "later only", "shrinking", "from the second episode", "in the first episode", "other episode"],
)
def test_a_state_that_is_told_now_and_then_or_changes_its_shape_is_refused(tell, message, tmp_path):
    env, path = Telling(tell), tmp_path / "a.h5"
    with pytest.raises(ValueError, match=message):
        collect_episodes(env, RandomPolicy(env.action_space), episodes=2, path=path, seed=0, max_steps=3)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_change_their_size_are_refused(tmp_path):
    class Growing(TwoRoom):
        def reset(self, **arguments):
            self.size += 1
            return super().reset(**arguments)

    policy = RandomPolicy(TwoRoom().action_space)
    with pytest.raises(ValueError, match="pixels must keep its shape"):
        collect_episodes(Growing(16), policy, episodes=2, path=tmp_path / "a.h5", seed=0, max_steps=3)


# ------------------------------------------------------------------------------------------------------ another world


@pytest.mark.skipif(importlib.util.find_spec("gym_pusht") is None, reason="needs pip install 'lewm-lite[pusht]'")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("arguments", [{}, {"obs_type": "pixels"}, {"obs_type": "pixels_agent_pos"}], ids=str)
def test_any_pixel_environment_will_do(arguments, tmp_path):
    env = gymnasium.make("gym_pusht:gym_pusht/PushT-v0", render_mode="rgb_array", **arguments)
    path = tmp_path / "pusht.h5"
    written = collect_episodes(
        env, RandomPolicy(env.action_space), episodes=2, path=path, seed=0, size=64, max_steps=25
    )
    assert written.frames == 52 and written.image_size == (64, 64) and written.action_dim == 2
    dataset = lewm_lite.EpisodeDataset(path, clip_length=4, frame_skip=5)
    assert dataset[0].frames.float().std() > 10
    with h5py.File(path) as file:
        assert file["proprio"].shape == (52, 2)
        assert ("state" in file) is (arguments == {})
    generator = seeded(0)
    assert env.action_space.contains(RandomPolicy(env.action_space)(None, {}, generator=generator))
