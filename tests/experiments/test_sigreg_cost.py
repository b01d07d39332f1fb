"""The cost experiment runs, and its rival statistic is what it says."""

from __future__ import annotations

import json
from dataclasses import asdict

import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.sigreg_cost import SIGRegCostConfig, all_pairs, run, values


def test_all_pairs_is_near_0_for_a_normal_sample_and_far_from_it_for_others():
    ideal = torch.randn(2000, 2, generator=seeded(0), dtype=torch.float64)
    chance = 20 / 2000
    assert 0 < all_pairs(ideal) < chance
    assert all_pairs(0.5 * ideal) > 3 * chance
    assert all_pairs(ideal + 1) > 3 * chance
    assert torch.isclose(all_pairs(torch.zeros(5, 2, dtype=torch.float64)), torch.tensor(1 - 1 + 1 / 3).double())


def test_the_fast_form_times_both_tests_at_every_batch():
    config = SIGRegCostConfig(batches=(16, 64), dim=4, num_directions=8, repeats=3)
    medians = run(config)
    assert {name: len(times) for name, times in medians.items()} == {"sigreg": 2, "all_pairs": 2}
    assert all(time > 0 for times in medians.values() for time in times)
    assert set(values(config, medians)) == {"sigreg_cost.growth", "sigreg_cost.growth_of_pairs"}


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/sigreg_cost.json").read_text())
    config = SIGRegCostConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, kept["details"]["milliseconds"])
    samples = config.batches[-1] / config.batches[0]
    assert kept["values"]["sigreg_cost.growth"] < 1.5 * samples < kept["values"]["sigreg_cost.growth_of_pairs"]
