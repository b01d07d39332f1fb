"""The fast form shows what the long run shows, and what is kept is of the config as it stands."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.shapes_and_probes import (
    ShapesAndProbesConfig,
    biases,
    known_and_unknown,
    run,
    smooth_tasks,
    values,
)
from lewm_lite.judging.neighbours import bell_kernel

FAST = ShapesAndProbesConfig(num_samples=4000, asked=400, tasks=16)


def test_tasks_have_mean_0_variance_1_and_the_length_they_were_given():
    near = torch.randn(4000, 3, generator=seeded(0))
    task = smooth_tasks(3, count=200, waves=64, length=2.0, generator=seeded(1))
    here, there = task(near), task(near + torch.tensor([2.0, 0, 0]))
    assert abs(here.square().mean() - 1) < 0.1
    # The covariance of such a function at distance d is exp(-d² / (2 length²)).
    assert abs((here * there).mean() - math.exp(-0.5)) < 0.1


def test_the_gaussian_is_best_of_smooth_densities_close_by_and_the_sphere_is_better():
    found, crowd = biases(FAST, 2, (0.4, 1.6), seed=0)
    gaussian, far = found["gaussian"]
    assert all(found[shape][0] > 1.05 * gaussian for shape in ("stretched", "clumps", "heavy_tailed", "cube"))
    assert found["sphere"][0] < 0.5 * gaussian
    assert found["cube"][1] < 0.95 * far, "the argument is one for small radii"
    assert crowd["gaussian"][0] > 100


def test_a_kernel_probe_finds_the_same_order_close_by():
    found, crowd = biases(FAST, 2, (0.2,), seed=0, kernel=bell_kernel)
    assert all(
        found[shape][0] > 1.05 * found["gaussian"][0] for shape in ("stretched", "clumps", "heavy_tailed", "cube")
    )
    assert found["sphere"][0] < 0.5 * found["gaussian"][0]
    assert crowd["gaussian"][0] > 100


def test_a_low_rank_cloud_wins_on_the_task_it_was_made_for_and_loses_on_the_others():
    found = known_and_unknown(FAST, seed=0)
    assert found["known.low_rank.neighbours"] > found["known.round.neighbours"] + 0.2
    assert found["known.low_rank.linear"] > found["known.round.linear"]
    for probe in ("neighbours", "linear"):
        assert abs(found[f"known.round.{probe}"] - found[f"unknown.round.{probe}"]) < 0.15
        assert found[f"unknown.low_rank.{probe}"] < found[f"unknown.round.{probe}"] - 0.3


def test_a_run_is_told_in_values_with_the_gaussian_as_the_measure():
    config = ShapesAndProbesConfig(
        seeds=(0, 1),
        shapes=("gaussian", "sphere"),
        radii=((2, (0.8,)),),
        widths=((2, (0.4,)),),
        num_samples=500,
        asked=50,
        tasks=2,
    )
    result = run(config)
    told = values(config, result)
    ratios = [a / b for a, b in zip(*(result["bias"]["2"][shape][0] for shape in ("sphere", "gaussian")), strict=True)]
    assert math.isclose(told["shapes_and_probes.d2.sphere.r08"], sum(ratios) / 2, rel_tol=1e-3)
    assert "shapes_and_probes.d2.gaussian.r08" not in told and "shapes_and_probes.d2.sphere.h04_low" in told


@pytest.fixture(scope="module")
def kept():
    return json.loads(asset_path("results/shapes_and_probes.json").read_text(encoding="utf-8"))


def test_the_kept_result_is_of_the_config_as_it_stands(kept):
    config = ShapesAndProbesConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, kept["details"])


def test_the_kept_result_supports_what_is_said_of_it(kept):
    told = {name.removeprefix("shapes_and_probes."): value for name, value in kept["values"].items()}
    for shape in ("stretched", "clumps", "heavy_tailed", "cube"):
        assert told[f"d2.{shape}.r02_low"] > 1
    assert told["d2.cube.r08_high"] < 1 and told["d4.cube.r08_high"] < 1
    for dim, nearest in ((2, "r02"), (4, "r08")):
        assert told[f"d{dim}.sphere.{nearest}_high"] < 0.6
    assert told["known.low_rank.neighbours_low"] > told["known.round.neighbours_high"]
    assert told["unknown.low_rank.neighbours_high"] < told["unknown.round.neighbours_low"]
