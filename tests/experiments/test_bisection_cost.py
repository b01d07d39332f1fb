"""The cost is counted in runs, and what is found is what the searches found."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.bisection_cost import (
    BisectionCostConfig,
    plateau_run,
    questions,
    searches,
    swept,
    values,
)
from lewm_lite.experiments.lambda_sweep import LambdaSweepConfig
from lewm_lite.experiments.lockstep import LockstepConfig

CONFIG = BisectionCostConfig()


def row(weight, probe, *, std=0.8, accepted=True):
    return {"lambda": weight, "probe_r2": probe, "effective_rank": 4.0, "std": std, "accepted": accepted}


def found(best, probe, *, ends=(False, False)):
    """One seed's searches, all with this answer."""
    runs = [row(1e-4, 0.1, accepted=ends[0]), row(1.0, 0.8, accepted=ends[1]), row(best, probe)]
    one = {"runs": runs, "best": best, "bracket": (best / 2, best), "words": ""}
    return {**dict.fromkeys(questions(CONFIG), one), "runs": 9}


def test_the_values_are_those_of_the_searches():
    told = values(CONFIG, {"searches": [found(0.002, 0.87), found(0.008, 0.88, ends=(False, True))]})
    of = {name.removeprefix("bisection_cost."): value for name, value in told.items()}
    assert of["runs"] == 6 and of["runs_for_all"] == 9
    assert of["plateau_run"] == of["plateau_run_latest"] == 3
    assert of["neither_end"] == 1
    for name in questions(CONFIG):
        assert (of[f"{name}.found"], of[f"{name}.lowest"], of[f"{name}.highest"]) == (2, 0.002, 0.008)
        assert of[f"{name}.factor"] == 2
        assert of[f"{name}.probe_r2"] == pytest.approx(0.875)
        assert of[f"{name}.probe_r2_low"] < 0.87 and of[f"{name}.probe_r2_high"] > 0.88


def test_a_search_that_never_is_good_counts_as_one_more_than_its_budget():
    told = values(CONFIG, {"searches": [found(0.002, 0.87), found(0.008, 0.5)]})
    assert told["bisection_cost.plateau_run"] == (3 + 7) / 2
    assert plateau_run([row(1, 0.1)], 0.5) is None


def test_cells_in_random_order_take_as_many_runs_as_counting_says():
    """With g good ones among n the first comes at (n + 1) / (g + 1) on average."""
    grid = json.loads(asset_path("results/vicreg_grid.json").read_text(encoding="utf-8"))["values"]
    told = values(CONFIG, {"searches": [found(0.002, 0.87), found(0.008, 0.88)]})
    cells, good = grid["vicreg_grid.cells"], grid["vicreg_grid.good_cells"]
    assert told["bisection_cost.vicreg_random"] == pytest.approx((cells + 1) / (good + 1), rel=1e-3)
    assert told["bisection_cost.vicreg_runs"] == cells


def test_what_counts_as_good_is_what_counts_in_the_grid():
    grid = json.loads(asset_path("results/vicreg_grid.json").read_text(encoding="utf-8"))
    best = max(grid["values"]["vicreg_grid.best_vicreg"], grid["values"]["vicreg_grid.best_sigreg"])
    assert pytest.approx(best - grid["config"]["margin"]) == CONFIG.good
    assert CONFIG.steps == grid["config"]["steps"] and CONFIG.shared.seeds == tuple(grid["config"]["shared"]["seeds"])


def test_the_sweep_s_models_are_taken_where_they_were_trained_alike():
    known = swept(CONFIG, 2)
    assert set(known) == set(LambdaSweepConfig().lambdas)
    sweep = json.loads(asset_path("results/lambda_sweep.json").read_text(encoding="utf-8"))["details"]
    assert known[0.01]["probe_r2"] == sweep["readings"]["128/16"]["probe_r2"][sweep["lambdas"].index(0.01)][2]
    assert swept(replace(CONFIG, steps=999), 2) == {}


def test_a_short_search_counts_the_lambdas_that_it_asked_for():
    fast = BisectionCostConfig(shared=LockstepConfig(seeds=(0, 1), judged_samples=256), steps=4, budget=3)
    one = searches(fast, 1)
    asked = {row["lambda"] for name in questions(fast) for row in one[name]["runs"]}
    assert one["runs"] == len(asked) >= 2


def test_the_kept_result_is_of_the_config_as_it_stands():
    kept = json.loads(asset_path("results/bisection_cost.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(CONFIG)))
    assert kept["values"] == values(CONFIG, kept["details"])
    assert len(kept["details"]["searches"]) == len(CONFIG.shared.seeds) >= 5
    for by_seed in kept["details"]["searches"]:
        for name, question in questions(CONFIG).items():
            assert all(row["accepted"] == question.accepts(row) for row in by_seed[name]["runs"])
