"""Training in lock-step, in its fast form: who collapses and who does not, over three seeds, with margins."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.objectives import raw_observations
from lewm_lite.experiments.plugs import PLUGS, READINGS, PlugsConfig, values
from lewm_lite.training.joint_embedding import OBJECTIVES, Objective

FAST = LockstepConfig(seeds=(0, 1, 2), judged_samples=512, every=50)


@pytest.fixture(scope="module")
def record():
    names = ("none", "ema_stop_gradient", "variance_only", "sigreg")
    torch.set_num_threads(1)
    return train(FAST, [Phase(150, {name: OBJECTIVES[name] for name in names})])


def test_with_nothing_against_it_every_seed_goes_blind_while_its_error_vanishes(record):
    assert max(record.last("none", "std")) < 0.02
    assert max(record.last("none", "probe_r2")) < 0.3
    assert max(record.last("none", "prediction")) < 1e-3
    assert min(record.last("none", "probe_r2", step=0)) > 0.45  # it did know something before


@pytest.mark.parametrize(("name", "std"), [("ema_stop_gradient", 0.1), ("sigreg", 0.7), ("variance_only", 0.9)])
def test_each_of_the_others_keeps_every_seed_alive(record, name, std):
    assert min(record.last(name, "std")) > std
    assert min(record.last(name, "probe_r2")) > 0.5
    assert min(record.last(name, "prediction")) > 100 * max(record.last("none", "prediction"))


def test_variance_alone_uses_fewer_dimensions_than_sigreg(record):
    assert max(record.last("variance_only", "effective_rank")) < min(record.last("sigreg", "effective_rank")) - 1


def test_models_of_one_seed_have_one_start(record):
    starts = [record.last(name, "probe_r2", step=0) for name in record.readings]
    assert all(start == starts[0] for start in starts)
    assert len(set(starts[0])) == 3


def test_a_record_holds_one_number_per_step_and_seed(record):
    assert record.steps == [0, 50, 100, 150]
    assert all(len(curve) == 4 for curves in record.readings["none"].values() for curve in curves)


def test_pulling_the_plug_kills_and_putting_it_back_revives():
    alive, dead = {"sigreg": Objective(sigreg=0.1)}, {"sigreg": OBJECTIVES["none"]}
    run = train(replace(FAST, every=100), [Phase(100, alive), Phase(400, dead), Phase(100, alive)])
    before, pulled, back = (run.last("sigreg", "std", step=step) for step in (100, 500, 600))
    assert min(before) > 0.7 and max(pulled) < 0.45 and min(back) > 0.7


def test_phases_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least one phase"):
        train(FAST, [])
    with pytest.raises(ValueError, match="same models"):
        train(FAST, [Phase(1, {"none": OBJECTIVES["none"]}), Phase(1, {"sigreg": OBJECTIVES["sigreg"]})])


def test_a_record_tells_mean_and_both_ends(record):
    told = record.told("o.none", "none", ["std"])
    assert list(told) == ["o.none.std", "o.none.std_low", "o.none.std_high"]
    assert told["o.none.std_low"] < told["o.none.std"] < told["o.none.std_high"]
    assert record.told("o", "none", ["std"], step=0)["o.std"] > told["o.none.std"]


def test_observations_hold_more_of_the_state_than_an_untrained_encoder_and_less_than_all():
    share, rank = raw_observations(FAST)
    assert 0.75 < share < 0.95 and rank > 10


def test_the_kept_results_are_those_of_the_configurations_as_they_stand():
    kept = json.loads(asset_path("results/plugs.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(_plain(PlugsConfig())))
    assert {name.split(".")[1] for name in kept["values"]} == set(PLUGS)
    objectives = json.loads(asset_path("results/objectives.json").read_text(encoding="utf-8"))
    assert objectives["config"]["objectives"] == list(OBJECTIVES)
    assert len(objectives["config"]["shared"]["seeds"]) >= 5


def test_values_are_told_for_every_story_and_phase():
    curve = [0.0, 10.0, 20.0, 30.0]
    readings = {reading: [curve, [value + 1 for value in curve]] for reading in READINGS}
    told = values(PlugsConfig(steps=10), Record([0, 10, 20, 30], dict.fromkeys(PLUGS, readings)))
    assert told["plugs.drop_ema.pulled.std"] == 20.5
    assert len(told) == len(PLUGS) * 3 * 3 * 3


def _plain(config):
    from dataclasses import asdict

    return asdict(config)
