"""How much gradient may leak through the target: the fast form, and what the kept result says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import Record
from lewm_lite.experiments.stop_gradient import StopGradientConfig, run, values

SHARED = replace(StopGradientConfig().shared, batch_size=64, judged_samples=256, every=100)
FAST = StopGradientConfig(shared=SHARED, leaks=(0.0, 1.0), weight_decays=(100.0,), steps=100, long_steps=100)


@pytest.fixture(scope="module")
def records():
    return run(FAST)


def test_all_of_the_gradient_collapses_and_none_of_it_does_not(records):
    first = records["leaks"].last("leak0", "std", step=0)
    assert max(records["leaks"].last("leak1", "std")) < 0.3 * min(first)
    assert min(records["leaks"].last("leak0", "std")) > max(first)


def test_gradient_into_the_teacher_shrinks_more_slowly_than_into_the_encoder(records):
    first = records["long"].last("ema_only", "std", step=0)
    trained = records["long"].last("ema_only", "std")
    assert max(trained) < min(first)
    assert min(trained) > 3 * max(records["leaks"].last("leak1", "std"))


def test_weight_decay_is_felt(records):
    assert max(records["weight_decays"].last("decay100", "std")) < 0.01


def test_values_name_every_model(records):
    assert {name.split(".")[1] for name in values(FAST, records)} == {"leak0", "leak1", "decay100", "long"}


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/stop_gradient.json").read_text())
    config = StopGradientConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    records = {part: Record(**record) for part, record in kept["details"].items()}
    assert kept["values"] == values(config, records)
    stds = [kept["values"][f"stop_gradient.{name}.std"] for name in ("leak0", "leak0_01", "leak0_1", "leak0_5")]
    assert stds == sorted(stds, reverse=True)
    assert stds[0] > 0.5 and stds[-1] < 0.01
