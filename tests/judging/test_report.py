"""A report holds what each judge says, on held-out episodes."""

from __future__ import annotations

import json

import pytest
import torch

from lewm_lite.judging.report import ReportConfig, evenly, report_on, straightness_over
from lewm_lite.world.episode_file import DatasetError
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


def test_a_file_that_is_not_there_is_told(known_model, tmp_path):
    with pytest.raises((FileNotFoundError, DatasetError), match="none.h5"):
        report_on(known_model, tmp_path / "none.h5", QUICK)
