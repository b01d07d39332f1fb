"""The error of slicing falls as the root of K, to what the closed form says, and the kept result shows it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments import slicing_error
from lewm_lite.experiments.slicing_error import CLOUDS, SlicingErrorConfig, run, values

FAST = SlicingErrorConfig(dims=(2, 8), num_samples=32, counts=(1, 16), drawn=2048, seeds=(0, 1))


@pytest.fixture(scope="module")
def fast():
    return run(FAST)


def test_sixteen_directions_err_a_quarter_as_much_as_one(fast):
    for dims in fast.values():
        for row in dims.values():
            for one, sixteen, spread in zip(row["k1"], row["k16"], row["c"], strict=True):
                assert one == pytest.approx(spread)
                assert sixteen == pytest.approx(one / 4, rel=0.35)


def test_a_disease_costs_more_than_nothing_and_the_healthy_cloud_nothing(fast):
    assert all(excess == 0 for excess in fast["healthy"]["d8"]["excess"])
    assert min(fast["half_dead"]["d8"]["excess"] + fast["clumps"]["d8"]["excess"]) > 0.5


def test_an_average_that_is_not_over_all_directions_is_noticed(monkeypatch):
    monkeypatch.setattr(slicing_error, "sigreg_over_all_directions", lambda cloud: cloud.square().mean())
    row = run(FAST)["line"]["d8"]
    assert row["k16"][0] > 0.5 * row["k1"][0]  # an error that more directions do not mend


def test_values_name_every_cloud_and_dimension(fast):
    told = values(fast)
    for cloud in CLOUDS:
        assert f"slicing_error.{cloud}.d8.c" in told
    spread, excess = (told[f"slicing_error.clumps.d8.{what}"] for what in ("c", "excess"))
    assert "slicing_error.healthy.d8.needed" not in told
    if "slicing_error.clumps.d8.needed" in told:
        assert told["slicing_error.clumps.d8.needed"] == pytest.approx((10 * spread / excess) ** 2, rel=0.01)


def test_the_kept_result_is_of_the_config_as_it_stands_and_the_error_falls_as_the_root_of_k():
    kept = json.loads(asset_path("results/slicing_error.json").read_text(encoding="utf-8"))
    config = SlicingErrorConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(kept["details"])
    for cloud in CLOUDS:
        for dim in config.dims:
            name = f"slicing_error.{cloud}.d{dim}"
            for count in config.counts[:-1]:
                expected = kept["values"][f"{name}.c"] / math.sqrt(count)
                assert kept["values"][f"{name}.k{count}"] == pytest.approx(expected, rel=0.25)  # few groups of many
