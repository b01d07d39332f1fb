"""Direct and sliced tests by dimension: each judge is what it is called, and the kept result supports the claim."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from lewm_lite import asset_path, random_directions, seeded, sigreg
from lewm_lite.embeddings import clouds
from lewm_lite.experiments import many_dimensions
from lewm_lite.experiments.many_dimensions import CLOUDS, JUDGES, ManyDimensionsConfig, Seen, costs, look, values

FAST = ManyDimensionsConfig(dims=(4,), sizes=(48,), num_directions=16, repeats=30, healthy_repeats=120, timed=2)


@pytest.fixture(scope="module")
def fast():
    return look(FAST, 48, 4)


def test_healthy_clouds_are_seldom_seen_and_clumps_always(fast):
    assert all(seen <= 6 for seen in fast.seen["healthy"].values())
    assert all(seen >= 28 for seen in fast.seen["clumps"].values())


def test_what_asks_for_any_gaussian_misses_half_the_dimensions_dead(fast):
    row = fast.seen["half_dead"]
    assert max(row["henze_zirkler"], row["shapiro_wilk"]) < 8
    assert min(row["all_pairs"], row["epps_pulley"], row["kolmogorov_smirnov"]) == 30


def test_one_of_the_sliced_judges_is_sigreg():
    generator = seeded(0)
    cloud, directions = torch.randn(20, 5, generator=generator), random_directions(5, 7, generator=generator)
    torch.testing.assert_close(JUDGES["epps_pulley"](cloud, directions), sigreg(cloud, directions))


def test_where_there_are_no_more_samples_than_dimensions_henze_zirkler_sees_nothing():
    found = look(ManyDimensionsConfig(dims=(16,), sizes=(12,), repeats=5, healthy_repeats=20, timed=1), 12, 16)
    assert all(row["henze_zirkler"] == 0 for row in found.seen.values())
    assert found.gradient["henze_zirkler"] == 0 < found.gradient["epps_pulley"]


def test_comparing_all_pairs_takes_memory_with_the_square_of_the_samples():
    few, many = (
        costs(torch.randn(count, 4, generator=seeded(0)), random_directions(4, 16, generator=seeded(1)), 1)[1]
        for count in (64, 256)
    )
    assert many["all_pairs"] / few["all_pairs"] > 12
    assert many["epps_pulley"] / few["epps_pulley"] < 5


def test_a_blind_judge_is_noticed(monkeypatch):
    monkeypatch.setattr(many_dimensions, "JUDGES", {"blind": lambda cloud, _: (0 * cloud).sum() + 1})
    found = look(ManyDimensionsConfig(dims=(4,), sizes=(16,), repeats=5, healthy_repeats=10, timed=1), 16, 4)
    assert all(row == {"blind": 0} for row in found.seen.values())


def test_the_cube_and_half_dead_are_what_they_say():
    noise = clouds.cloud_noise(20_000, 4, generator=seeded(2))
    assert CLOUDS["cube"](noise).var(0) == pytest.approx(torch.ones(4), abs=0.05)
    assert CLOUDS["cube"](noise).abs().max() < 1.7321
    assert CLOUDS["half_dead"](noise).std(0) == pytest.approx(torch.tensor([1, 1, 0.02, 0.02]), rel=0.05)


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/many_dimensions.json").read_text(encoding="utf-8"))
    config = ManyDimensionsConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    told = {size: {dim: Seen(**found) for dim, found in row.items()} for size, row in kept["details"].items()}
    assert kept["values"] == values(config, told)
    value = {name.removeprefix("many_dimensions."): number for name, number in kept["values"].items()}
    assert value["n128.d2.clumps.henze_zirkler"] == 1 and value["n128.d64.clumps.henze_zirkler_high"] < 0.15
    assert value["n128.d64.clumps.epps_pulley"] == 1
    assert value["n512.d256.all_pairs.gradient"] == value["n512.d256.henze_zirkler.gradient"] == 0
    assert value["n512.d256.epps_pulley.gradient"] > 0.01
    assert value["n512.d16.needle.henze_zirkler_low"] > 0.5 > value["n512.d16.needle.epps_pulley_high"]  # the limit
