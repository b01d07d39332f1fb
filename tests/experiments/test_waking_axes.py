"""Axes are counted per seed and step, and more of them are alive as training under SIGReg goes on."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import LockstepConfig
from lewm_lite.experiments.waking_axes import Waking, WakingAxesConfig, name_of, run, values

FAST = WakingAxesConfig(
    shared=LockstepConfig(seeds=(0, 1), every=100, judged_samples=512), weights=(0.0, 1.0), steps=200
)


def test_axes_above_the_level_are_counted():
    waking = Waking([0, 10], {"weight_1": [[[1.0, 0.05], [1.0, 0.2]], [[0.05, 0.01], [0.2, 0.01]]]})
    assert waking.alive("weight_1", 0) == [1, 0]
    assert waking.alive("weight_1", 10) == [2, 1]
    assert values(waking)["waking_axes.weight_1.step10"] == 1.5
    assert name_of(0.1) == "weight_0_1"


def test_axes_wake_under_sigreg_and_not_without_it():
    waking = run(FAST)
    assert waking.steps == [0, 100, 200]
    assert max(waking.alive("weight_0", 200)) == 0
    assert min(waking.alive("weight_1", 200)) >= 5 > max(waking.alive("weight_1", 0))


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/waking_axes.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(WakingAxesConfig())))
    told = values(Waking(**kept["details"]))
    assert kept["values"] == told
    early, late = (told[f"waking_axes.weight_1.step{step}"] for step in (1500, 6000))
    assert early == pytest.approx(11, abs=1) and late >= early + 1  # one after the other, and slowly
