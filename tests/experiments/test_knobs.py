"""Each knob turns one thing, the usual setting stands in its place, and what is kept is of the config as it stands."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.knobs import (
    KNOBS,
    NAMES,
    KnobsConfig,
    WithBatchNorm,
    beside,
    run,
    setting,
    usual_settings,
    values,
    with_the_usual,
)
from lewm_lite.experiments.lambda_sweep import LAMBDAS
from lewm_lite.experiments.lockstep import LockstepConfig
from lewm_lite.objectives.sigreg import random_directions, sigreg

CONFIG = KnobsConfig()
FAST = KnobsConfig(
    shared=LockstepConfig(seeds=(0, 1), batch_size=64, num_directions=16, every=60, judged_samples=512), steps=60
)


@pytest.mark.parametrize("knob", KNOBS)
def test_a_knob_turns_one_thing_and_leaves_the_rest(knob):
    shared, score = setting(knob, getattr(CONFIG, knob)[0], CONFIG)
    cloud, directions = torch.randn(64, 16, generator=seeded(0)), random_directions(16, 8, generator=seeded(1))
    same_score = torch.allclose(score(cloud, directions), sigreg(cloud, directions))
    if knob in ("knots", "t_max"):
        assert shared == CONFIG.shared and not same_score
    elif knob == "batch_norm":
        assert same_score and isinstance(shared.network, WithBatchNorm)
        assert asdict(shared) == asdict(CONFIG.shared)  # sizes and all else as they were
    else:
        assert same_score and shared == replace(CONFIG.shared, **{knob: getattr(CONFIG, knob)[0]})
        assert shared != CONFIG.shared


def test_no_other_knob():
    with pytest.raises(ValueError, match="knob must be one of"):
        setting("depth", 3, CONFIG)


def test_the_usual_settings_are_those_of_the_models_taken_from_the_sweep():
    knots, t_max, directions, rate, samples, norm = CONFIG.usual
    default = sigreg.__kwdefaults__
    assert (int(knots), float(t_max)) == (default["knots"], default["t_max"])
    assert int(directions) == CONFIG.shared.num_directions and float(rate) == CONFIG.shared.learning_rate
    assert int(samples) == CONFIG.shared.batch_size and norm == "without"
    for knob, usual in zip(KNOBS, CONFIG.usual, strict=True):
        assert usual not in [f"{value:g}" if not isinstance(value, str) else value for value in getattr(CONFIG, knob)]


def test_a_short_run_differs_by_knob_and_a_tiny_learning_rate_learns_least():
    config = replace(FAST, learning_rate=(1e-6, 3e-3), batch_norm=("with",))
    rates, norm = run("learning_rate", config), run("batch_norm", config)
    assert list(rates) == ["1e-06", "0.003"] and list(norm) == ["with"]
    assert max(rates["1e-06"]["std"]) < min(rates["0.003"]["std"]) - 0.2
    assert norm["with"]["probe_r2"] != rates["0.003"]["probe_r2"] and len(norm["with"]["probe_r2"]) == 2


def test_the_usual_setting_stands_in_its_place_and_the_sweep_beside():
    def readings(value):
        return {"probe_r2": [value, value], "effective_rank": [1.0, 2.0], "std": [1.0, 2.0]}

    turned = {"knots": {"5": readings(0.1), "33": readings(0.3)}, "batch_norm": {"with": readings(0.4)}}
    told = with_the_usual(turned, readings(0.2), CONFIG)
    assert list(told["knots"]) == ["5", "17", "33"] and list(told["batch_norm"]) == ["without", "with"]
    assert told["knots"]["17"] == readings(0.2)
    cells = {cell: {"probe_r2": [[float(place)] * 5 for place in range(len(LAMBDAS))]} for cell in CONFIG.dims}
    taken = beside(cells, CONFIG, dict.fromkeys(cells, list(LAMBDAS)))
    assert taken["lambda"]["0.1"]["probe_r2"] == [8.0] * 3 and list(taken["dim"]) == ["4", "16", "64"]
    kept = values(told)
    assert kept["knobs.knots.spread"] == pytest.approx(0.2) and kept["knobs.batch_norm.with.probe_r2"] == 0.4


def test_the_kept_result_is_of_the_config_as_it_stands():
    kept = json.loads(asset_path("results/knobs.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(CONFIG)))
    outcomes = kept["details"]["outcomes"]
    assert kept["values"] == values(outcomes) and set(outcomes) == {"lambda", "dim", *KNOBS} == set(NAMES)
    assert all(usual in outcomes[knob] for knob, usual in usual_settings(CONFIG).items())
    assert all(
        len(readings["probe_r2"]) == len(CONFIG.shared.seeds) >= 3
        for settings in outcomes.values()
        for readings in settings.values()
    )
