"""Power and cost of dead dimensions: the fast form agrees with what can be computed, and the kept result with both."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments import dead_power
from lewm_lite.experiments.dead_power import Bench, DeadPowerConfig, Disease, Reading, run, values, wilson

FAST = DeadPowerConfig(
    benches=(
        Bench(32, 32, (Disease(1), Disease(8), Disease(14), Disease(14, full_energy=True)), dim=16),
        Bench(256, 32, (Disease(1), Disease(14, full_energy=True)), dim=16),
    ),
    repeats=150,
    healthy_repeats=400,
)


@pytest.fixture(scope="module")
def fast():
    return run(FAST)


def power(reading):
    return reading.seen / reading.repeats


def test_healthy_clouds_give_the_false_alarms_that_were_allowed(fast):
    assert all(power(row["dead0"]) < 0.13 for row in fast.values())
    assert any(power(row["dead0"]) > 0 for row in fast.values())


def test_measured_scores_are_the_expected_ones(fast):
    for row in fast.values():
        for reading in row.values():
            assert abs(reading.mean - reading.expected) < 4 * reading.error + 0.02


def test_power_grows_with_the_dead_and_with_the_samples(fast):
    small, large = fast["d16_n32_k32"], fast["d16_n256_k32"]
    assert power(small["dead1"]) < 0.2 < 0.95 < power(small["dead14"])
    assert power(large["dead1"]) > power(small["dead1"]) + 0.1


def test_energy_kept_hides_the_dead(fast):
    row = fast["d16_n32_k32"]
    assert row["dead14_full"].mean - row["dead0"].mean < 0.5 * (row["dead14"].mean - row["dead0"].mean)


def test_a_score_that_is_blind_to_width_is_noticed(monkeypatch):
    def shape_only(embeddings, directions):
        return dead_power.sigreg_itself(embeddings / embeddings.std(), directions)

    monkeypatch.setattr(dead_power, "sigreg_itself", dead_power.sigreg, raising=False)
    monkeypatch.setattr(dead_power, "sigreg", shape_only)
    row = run(DeadPowerConfig(benches=FAST.benches[:1], repeats=60, healthy_repeats=200))["d16_n32_k32"]
    assert abs(row["dead14"].mean - row["dead14"].expected) > 1


@pytest.mark.parametrize(("seen", "low", "high"), [(0, 0.0, 0.0370), (50, 0.4038, 0.5962), (100, 0.9630, 1.0)])
def test_wilson_gives_the_interval_of_the_tables(seen, low, high):
    assert wilson(seen, 100) == pytest.approx((low, high), abs=2e-4)


def test_bad_input_is_refused_in_words():
    with pytest.raises(ValueError, match="dead must be from 0 to dim - 1 = 7, got 8"):
        Disease(8).variances(8)
    with pytest.raises(ValueError, match="seen must be from 0 to repeats"):
        wilson(3, 2)


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/dead_power.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(DeadPowerConfig())))
    readings = {
        bench: {name: Reading(**reading) for name, reading in row.items()} for bench, row in kept["details"].items()
    }
    assert kept["values"] == values(readings)
    for row in readings.values():
        for reading in row.values():  # closed form and measurement, everywhere
            assert abs(reading.mean - reading.expected) < 4 * reading.error + 0.01 * reading.expected
    told = kept["values"]
    assert told["dead_power.d192_n128_k256.dead10.power_high"] < 0.2
    assert told["dead_power.d192_n1024_k256.dead10.power_low"] > 0.95
    assert told["dead_power.d256_n16_k64.dead10.expected_cost"] < 0  # a small batch rewards a few dead dimensions
