"""Dead rows come back under SIGReg's gradient, and not under the same gradient without its sign."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path
from lewm_lite.experiments import dead_revival
from lewm_lite.experiments.dead_revival import DeadRevivalConfig, Record, Start, first_step, run, values

FAST = DeadRevivalConfig(
    dim=12,
    num_directions=12,
    steps=400,
    seeds=(0, 1, 2),
    starts=(Start(1), Start(8), Start(8, coin=True), Start(3, std=0.0)),
)


@pytest.fixture(scope="module")
def fast():
    record = run(FAST)
    return record, values(FAST, record)


def test_a_start_is_the_identity_with_rows_next_to_nothing(fast):
    record, told = fast
    assert told["dead_revival.dead1.rank_before"] == pytest.approx(11, abs=0.01)
    assert record.readings["dead8"]["dead_std"][0][0] == pytest.approx(0.02)
    assert record.readings["dead3_from_0"]["dead_std"][0][0] == 0


def test_every_seed_comes_back_under_sigreg(fast):
    _, told = fast
    for start in ("dead1", "dead8", "dead3_from_0"):
        assert told[f"dead_revival.{start}.alive"] == 1
        assert told[f"dead_revival.{start}.rank_low"] > 11.5


def test_the_same_noise_without_its_sign_does_not_make_the_cloud_round(fast):
    _, told = fast
    assert told["dead_revival.dead8_coin.healthy"] == 0
    assert told["dead_revival.dead8_coin.rank"] < 8 < told["dead_revival.dead8.rank"]


def test_while_many_are_dead_the_live_ones_swell(fast):
    _, told = fast
    assert told["dead_revival.dead8.widest_low"] > 1.3 > told["dead_revival.dead1.widest_high"]


def test_a_score_whose_gradient_points_the_other_way_is_noticed(monkeypatch):
    right = dead_revival.sigreg
    monkeypatch.setattr(dead_revival, "sigreg", lambda cloud, lines: -right(cloud, lines))
    config = replace(FAST, starts=(Start(8),), steps=100)
    assert values(config, run(config))["dead_revival.dead8.rank"] < 8


def test_the_first_step_at_a_level_is_found():
    assert first_step([0, 20, 40], [0.1, 0.5, 0.7], 0.5) == 20
    assert first_step([0, 20], [0.1, 0.2], 0.5) is None


def test_bad_input_is_refused_in_words():
    with pytest.raises(ValueError, match="dead must be from 0 to dim - 1 = 7, got 8"):
        Start(8).matrix(8)
    with pytest.raises(ValueError, match="at least one seed and start"):
        run(replace(FAST, seeds=()))


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/dead_revival.json").read_text(encoding="utf-8"))
    config = DeadRevivalConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    told = values(config, Record(**kept["details"]))
    assert kept["values"] == told
    for start in ("dead1", "dead8", "dead28", "dead8_from_0"):
        assert told[f"dead_revival.{start}.alive"] == 1
        assert told[f"dead_revival.{start}.rank_low"] > 30
        if start != "dead8_from_0":
            last = torch.tensor(kept["details"]["readings"][f"{start}_coin"]["effective_rank"])[:, -1]
            assert last.max() < told[f"dead_revival.{start}.rank_low"] - 2
