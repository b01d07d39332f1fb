"""Objectives differ in what keeps embeddings apart alone; what is trained is not trained again; the result says so."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path
from lewm_lite.experiments import world_model_objectives as experiment
from lewm_lite.experiments.world_model_objectives import (
    WorldModelObjectivesConfig,
    blocks_of,
    is_done,
    path_of,
    run,
    values,
)
from lewm_lite.judging.report import ReportConfig
from lewm_lite.training.checkpoints import load_checkpoint, read_checkpoint
from lewm_lite.training.fit_config import RECIPES
from lewm_lite.world.episodes import collect_episodes
from lewm_lite.world.making import make_environment, make_policy
from lewm_lite.world.registration import TWO_ROOM

FAST = WorldModelObjectivesConfig(
    seeds=(0, 1),
    fit=replace(RECIPES["lite"], steps=2, batch_size=8, num_directions=8),
    judged=ReportConfig(clips=8, probe_frames=100, folds=2, violation_episodes=2, planning_episodes=1),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return collected(tmp_path_factory.mktemp("episodes") / "two_room.h5", seed=0)


def collected(path, *, seed):
    env = make_environment(TWO_ROOM, size=32)
    collect_episodes(env, make_policy(None, env, noise=3.0), episodes=40, path=path, seed=seed)
    return path


def test_all_are_trained_once_and_taken_from_disk_after_that(data, tmp_path, monkeypatch):
    found = run(FAST, data=data, folder=tmp_path)
    assert list(found) == list(FAST.objectives) and all(len(runs) == 2 for runs in found.values())
    starts = [load_checkpoint(path_of(tmp_path, name, 0)).projector.output.weight for name in FAST.objectives]
    assert all((one - starts[0]).abs().max() > 1e-6 for one in starts[1:])  # each went its own way
    weights = [found[name][0]["fit"]["sigreg_weight"] for name in FAST.objectives]
    assert weights == [0.1, 0.0, 0.0, 0.0]

    def refuse(*given, **named):
        raise AssertionError("trained again")

    monkeypatch.setattr(experiment, "train", refuse)
    assert run(FAST, data=data, folder=tmp_path) == found
    told = values(found)
    planned = [facts["report"]["planning"]["planner"]["successes"] for facts in found["vicreg"]]
    assert told["world_model_objectives.vicreg.successes"] == sum(planned)
    mean = sum(facts["report"]["linear_r2"] for facts in found["none"]) / 2
    assert told["world_model_objectives.none.linear_r2"] == pytest.approx(mean, rel=1e-3)
    longer = replace(FAST, fit=replace(FAST.fit, steps=3))
    path = path_of(tmp_path, "sigreg", 0)
    told = {"path": path, "blocks": blocks_of(data)}
    assert is_done("sigreg", 0, FAST, **told) and not is_done("sigreg", 0, longer, **told)
    assert not is_done("sigreg", 1, FAST, **told) and not is_done("vicreg", 0, FAST, **told)
    with pytest.raises(AssertionError, match="trained again"):  # what was learned from other data is no answer
        run(FAST, data=collected(tmp_path / "other.h5", seed=1), folder=tmp_path)


def kept():
    return json.loads(asset_path("results/world_model_objectives.json").read_text(encoding="utf-8"))


def test_the_kept_result_is_of_the_config_as_it_stands():
    config = WorldModelObjectivesConfig()
    assert kept()["config"] == json.loads(json.dumps(asdict(config)))
    assert kept()["values"] == values(kept()["details"])
    assert all(len(runs) == len(config.seeds) >= 3 for runs in kept()["details"].values())


def test_the_shipped_model_is_one_of_those_that_were_compared():
    facts = read_checkpoint(asset_path("checkpoints/lite.safetensors")).facts
    (same,) = [run for run in kept()["details"]["sigreg"] if run["seed"] == facts["seed"]]
    assert same["fit"] == facts["fit"]
    assert torch.isfinite(torch.tensor(same["report"]["rollout"])).all()
