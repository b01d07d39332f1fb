"""A report holds what each judge says, on held-out episodes."""

from __future__ import annotations

import json
import shutil

import h5py
import pytest
import torch
from without_float64 import on_accelerator

from lewm_lite.judging import report
from lewm_lite.judging.report import ReportConfig, episodes_seen, evenly, report_on, straightness_over
from lewm_lite.world import episode_dataset
from lewm_lite.world.episode_dataset import EpisodeDataset
from lewm_lite.world.episode_file import DatasetError, read_rows
from lewm_lite.world.episodes import collect_episodes
from lewm_lite.world.making import make_environment, make_policy
from lewm_lite.world.registration import TWO_ROOM

# Four held-out episodes: halves of them would be judged where no probe was fitted, which a network can't read.
QUICK = ReportConfig(clips=16, probe_frames=300, folds=3, violation_episodes=2, planning_episodes=1)


@pytest.fixture(scope="module")
def episodes_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("episodes") / "two_room.h5"
    env = make_environment(TWO_ROOM, size=32)
    collect_episodes(env, make_policy(None, env, noise=3.0), episodes=40, path=path, seed=0)
    return path


def test_of_a_model_that_knows_the_place_the_report_says_so(known_model, episodes_path):
    found = report_on(known_model, episodes_path, QUICK)
    assert found.linear_r2 > 0.98 and found.mlp_r2 > 0.95
    assert found.effective_rank == pytest.approx(2, abs=0.2)
    assert len(found.rollout) == len(found.standstill) == QUICK.horizon
    assert found.rollout[0] < 0.35 * found.standstill[0]  # it knows of no walls
    assert found.straightness == pytest.approx(found.straightness_of_positions, abs=0.1)
    held_out = EpisodeDataset(episodes_path, clip_length=1, split="test")
    walked = [held_out.episode(place).state[:, :2] for place in range(len(held_out.episodes))]
    assert found.straightness_of_positions == straightness_over(walked, stride=5)  # of no episode to learn from
    assert found.roc["teleport"] > 0.9
    assert found.planning["planner"]["trials"] == 1
    assert json.loads(json.dumps(found.as_dict()))["std"] == found.std


def test_samples_are_taken_evenly_with_the_episode_that_they_are_from():
    embedded = [torch.arange(6.0)[:, None], 10 + torch.arange(4.0)[:, None]]
    walked = [torch.zeros(6, 2), torch.ones(4, 2)]
    samples, positions, episodes = evenly(embedded, walked, frames=5)
    assert samples.flatten().tolist() == [0, 2, 4, 10, 12]
    assert episodes.tolist() == positions[:, 0].tolist() == [0, 0, 0, 1, 1]


def test_paths_are_thinned_before_their_straightness_is_taken():
    line, zigzag = torch.zeros(9, 2), torch.zeros(9, 2)
    line[:, 0] = zigzag[:, 0] = torch.arange(9.0)
    zigzag[1::2, 1] = 5.0
    assert straightness_over([line, zigzag, torch.zeros(3, 2)], stride=2) == pytest.approx(1.0)  # every second row
    assert straightness_over([zigzag], stride=1) < 0


def test_a_path_that_rests_is_left_out_and_none_that_is_left_is_told():
    line, rest = torch.arange(9.0)[:, None], torch.zeros(9, 1)
    assert straightness_over([rest, line], stride=2) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="got 1 paths, 1 of them long enough"):
        straightness_over([rest], stride=2)
    with pytest.raises(ValueError, match="paths must hold one of more than 10 rows.*got 2 paths, 0 of them"):
        straightness_over([line, rest], stride=5)


def test_a_model_elsewhere_gets_frames_there_and_what_it_sees_comes_to_the_cpu(known_model, episodes_path):
    asked = []

    def encode(frames):
        asked.append(frames.device.type)
        return on_accelerator(torch.ones(*frames.shape[:2], 2))

    def predict(embeddings, actions):
        asked.append(actions.device.type)
        return embeddings

    known_model.encode, known_model.predict = encode, predict
    held_out = EpisodeDataset(episodes_path, clip_length=1, split="test")
    embedded, walked = episodes_seen(known_model.to("meta"), held_out)
    assert {type(path) for path in embedded} == {torch.Tensor} and len(embedded) == len(walked) == 4
    with pytest.raises(ValueError, match="collapsed"):  # rollouts come first
        report_on(known_model, episodes_path, QUICK)
    assert set(asked) == {"meta"}


def test_pixels_of_episodes_to_learn_from_are_not_read(known_model, episodes_path, monkeypatch):
    def refuse(model, frames, actions):
        raise ValueError("here")

    read = []
    monkeypatch.setattr(report, "rollout_error", refuse)
    monkeypatch.setattr(episode_dataset, "read_rows", lambda *given: read.append(given[2]) or read_rows(*given))
    with pytest.raises(ValueError, match="here"):
        report_on(known_model, episodes_path, QUICK)
    assert len(read) == QUICK.clips and slice(None) not in read


def test_what_can_not_be_reported_on_is_told(known_model, episodes_path, tmp_path):
    without = tmp_path / "without.h5"
    shutil.copy(episodes_path, without)
    with h5py.File(without, "r+") as file:
        del file["state"]
    with pytest.raises(DatasetError, match=r"without\.h5 must have a column state or observation"):
        report_on(known_model, without, QUICK)
    known_model.action_blocks = None
    with pytest.raises(ValueError, match="brings no action_blocks"):
        report_on(known_model, episodes_path, QUICK)


def test_a_file_that_is_not_there_is_told(known_model, tmp_path):
    with pytest.raises((FileNotFoundError, DatasetError), match="none.h5"):
        report_on(known_model, tmp_path / "none.h5", QUICK)
