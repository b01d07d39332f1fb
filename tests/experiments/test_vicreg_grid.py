"""The grid trains every pair of weights, and counts as good what is near the best of either method."""

from __future__ import annotations

import json
from dataclasses import asdict

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import LockstepConfig, Record
from lewm_lite.experiments.vicreg_grid import (
    VicregGridConfig,
    good,
    means,
    run,
    sigreg_objectives,
    table,
    values,
    vicreg_objectives,
)
from lewm_lite.training.joint_embedding import OBJECTIVES

FAST = VicregGridConfig(
    shared=LockstepConfig(seeds=(0, 1), every=150, judged_samples=512),
    steps=150,
    variance=(0.01, 1.0),
    covariance=(1.0, 100.0),
    sigreg=(0.01, 1.0),
)


def test_factors_are_of_the_usual_weights():
    assert vicreg_objectives(FAST)["1 × 1"] == OBJECTIVES["vicreg"]
    assert sigreg_objectives(FAST)["1"] == OBJECTIVES["sigreg"]
    corner = vicreg_objectives(FAST)["0.01 × 100"]
    assert (corner.variance, corner.covariance) == (
        0.01 * OBJECTIVES["vicreg"].variance,
        100 * OBJECTIVES["vicreg"].covariance,
    )
    assert len(vicreg_objectives(VicregGridConfig())) == 25


def test_in_a_short_run_the_weights_matter():
    grid, row = run(FAST)
    assert set(grid.readings) == {"0.01 × 1", "0.01 × 100", "1 × 1", "1 × 100"}
    probes = means(grid, "probe_r2")
    assert probes["1 × 1"] > probes["0.01 × 100"] + 0.1
    assert means(row, "std")["1"] > 3 * means(row, "std")["0.01"]
    told = values(FAST, grid, row)
    assert told["vicreg_grid.cells"] == 4 and told["vicreg_grid.lambdas"] == 2
    assert told["vicreg_grid.best_vicreg"] >= told["vicreg_grid.worst_vicreg"]


def test_good_is_near_the_best():
    assert good({"a": 0.9, "b": 0.881, "c": 0.879}, best=0.9, margin=0.02) == ["a", "b"]


def test_a_table_has_variance_down_and_covariance_across():
    of = {"0.01 × 1": 1.0, "0.01 × 100": 2.0, "1 × 1": 3.0, "1 × 100": 4.0}
    assert table(FAST, of) == [[1.0, 2.0], [3.0, 4.0]]


def test_the_kept_result_is_of_the_config_as_it_stands():
    kept = json.loads(asset_path("results/vicreg_grid.json").read_text(encoding="utf-8"))
    config, details = VicregGridConfig(), kept["details"]
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    grid, row = (Record(details["steps"], details[part]) for part in ("grid", "row"))
    assert kept["values"] == values(config, grid, row)
    assert len(config.shared.seeds) >= 3
