"""The sweep turns λ alone, its edges are where the curve crosses, and what is kept is of the config as it stands."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.lambda_sweep import (
    USUAL,
    LambdaSweepConfig,
    edges,
    lambdas_of,
    means,
    name_of,
    run,
    shared_of,
    values,
    word_of,
)
from lewm_lite.experiments.lockstep import LockstepConfig

FAST = LambdaSweepConfig(
    shared=LockstepConfig(seeds=(0, 1), every=100, judged_samples=512),
    lambdas=(1e-4, 1e-1),
    cells=("64/8", "32/8"),
    seeds_elsewhere=1,
    steps=100,
)


def test_a_cell_has_its_own_n_and_d_and_the_first_has_all_seeds():
    first, second = (shared_of(cell, FAST) for cell in FAST.cells)
    assert (first.batch_size, first.network.dim, first.seeds) == (64, 8, (0, 1))
    assert (second.batch_size, second.network.dim, second.seeds) == (32, 8, (0,))
    assert first.network.hidden_dim == FAST.shared.network.hidden_dim


def test_another_n_is_tried_at_the_same_products_of_weight_and_n():
    config = LambdaSweepConfig()
    assert lambdas_of(USUAL, config) == list(config.lambdas)
    inner = [weight for weight in config.lambdas if 1e-3 <= weight <= 3.16]
    assert lambdas_of("32/16", config) == pytest.approx([4 * weight for weight in inner])
    assert lambdas_of("512/16", config) == pytest.approx([weight / 4 for weight in config.few])


@pytest.mark.parametrize("cell", ["128", "128/16/4", "0/16", "a/16", "128/-1"])
def test_a_name_that_is_no_cell_is_refused(cell):
    with pytest.raises(ValueError, match="cell must be N/D"):
        shared_of(cell, FAST)


def test_in_a_short_run_a_small_weight_lets_the_encoder_collapse():
    readings = run("64/8", FAST)
    assert all(len(numbers) == 2 for numbers in readings["std"])
    low, usual = means(readings, "std")
    assert low < 0.1 * usual
    assert means(readings)[0] < means(readings)[1] - 0.1
    told = values(FAST, {"64/8": readings})
    assert told["lambda_sweep.n64_d8.best_lambda"] == 0.1
    assert 1e-4 < told["lambda_sweep.n64_d8.low"] < 0.1
    assert "lambda_sweep.n64_d8.high" not in told  # the curve ends at its best


def test_edges_lie_where_the_straight_pieces_cross_the_level():
    lambdas, probes = (0.01, 0.1, 1.0, 10.0), (0.0, 0.8, 0.9, 0.5)
    low, high = edges(lambdas, probes, margin=0.2)
    assert low == pytest.approx(10 ** (-2 + 0.7 / 0.8)) and high == pytest.approx(10**0.5)
    assert edges(lambdas, probes, margin=1.0) == (None, None)
    low, high = edges(lambdas, (0.0, 0.9, 0.5, 0.9), margin=0.2)  # what comes back beyond a fall is not within
    assert math.log10(low) == pytest.approx(-2 + 0.7 / 0.9) and high == pytest.approx(10**-0.5)


def test_names_are_words():
    assert name_of("128/16") == "n128_d16"
    assert [word_of(weight) for weight in (1e-4, 0.316, 1.0, 10.0)] == ["at_0_0001", "at_0_316", "at_1", "at_10"]


def test_the_kept_result_is_of_the_config_as_it_stands():
    kept = json.loads(asset_path("results/lambda_sweep.json").read_text(encoding="utf-8"))
    config = LambdaSweepConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, kept["details"]["readings"])
    assert list(kept["details"]["readings"]) == list(config.cells) and config.cells[0] == USUAL
    assert all(len(numbers) >= 3 for cell in kept["details"]["readings"].values() for numbers in cell["probe_r2"])
