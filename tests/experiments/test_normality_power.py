"""Power of the one-dimensional tests: alternatives are what they are called, and the kept result is the config's."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments import normality_power
from lewm_lite.experiments.normality_power import ALTERNATIVES, NormalityPowerConfig, run, values
from lewm_lite.objectives.normality import NORMALITY_TESTS

FAST = NormalityPowerConfig(sizes=(64,), repeats=150, healthy_repeats=600)
NORMAL = ("shifted", "narrow", "wide", "tiny")
ANY = [name for name, test in NORMALITY_TESTS.items() if test.against == "any"]
STANDARD = [name for name, test in NORMALITY_TESTS.items() if test.against == "standard"]


@pytest.fixture(scope="module")
def fast():
    return run(FAST)


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_an_alternative_has_the_mean_and_variance_that_are_said(name):
    sample = ALTERNATIVES[name](torch.randn(400_000, 2, generator=seeded(0), dtype=torch.float64))
    assert sample.shape == (400_000, 1)
    mean, variance = {
        "outliers": (0, 1.3),
        "shifted": (0.25, 1),
        "narrow": (0, 0.64),
        "wide": (0, 1.5625),
        "tiny": (0, 1e-4),
    }.get(name, (0, 1))
    assert abs(sample.mean().item() - mean) < 0.01
    assert sample.var().item() == pytest.approx(variance, rel=0.05)


def test_healthy_samples_give_the_false_alarms_that_were_allowed(fast):
    assert all(seen < 0.12 * FAST.repeats for seen in fast["n64"]["healthy"].values())


def test_a_normal_law_that_is_not_the_standard_one_is_seen_by_one_question_alone(fast):
    for alternative in NORMAL:
        row = fast["n64"][alternative]
        assert all(row[name] < 0.14 * FAST.repeats for name in ANY), alternative
    assert all(fast["n64"]["tiny"][name] == FAST.repeats for name in STANDARD)


def test_a_test_that_is_blind_is_noticed(monkeypatch):
    blind = replace(NORMALITY_TESTS["epps_pulley"], statistic=lambda samples: samples[..., 0, :] * 0 + 1)
    monkeypatch.setattr(normality_power, "NORMALITY_TESTS", {"epps_pulley": blind})
    row = run(replace(FAST, repeats=20, healthy_repeats=40))["n64"]
    assert row["tiny"]["epps_pulley"] == 0


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claims():
    kept = json.loads(asset_path("results/normality_power.json").read_text(encoding="utf-8"))
    config = NormalityPowerConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, kept["details"]["seen"])
    told = kept["values"]
    for size in config.sizes:
        for name in NORMALITY_TESTS:
            assert told[f"normality_power.n{size}.healthy.{name}"] < 0.09
            tiny = told[f"normality_power.n{size}.tiny.{name}"]
            assert tiny == 1 if name in STANDARD else tiny < 0.1
    outliers = {name: told[f"normality_power.n1024.outliers.{name}"] for name in NORMALITY_TESTS}
    assert outliers["epps_pulley"] < 0.2 < 0.95 < outliers["low_moments"]
    assert told["normality_power.n128.line.low_moments"] < told["normality_power.n128.line.shapiro_wilk_low"]
