"""The machine's search takes the side that is asked for and spends its budget once; the kept result is the config's."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.lambda_bisection import QUESTIONS, LambdaBisectionConfig, lambdas, searches, values
from lewm_lite.experiments.lambda_questions import Question, remembered, search_edge
from lewm_lite.experiments.lockstep import LockstepConfig

ENDS = {"low": 1e-4, "high": 10.0, "budget": 8}
FAST = LambdaBisectionConfig(shared=LockstepConfig(seeds=(0,), judged_samples=256), steps=5, budget=4)


def hill(weight):
    """Good from 0.003 to 0.5, bad to both sides."""
    return {"probe_r2": 0.9 if 0.003 < weight < 0.5 else 0.1, "effective_rank": 13 if weight < 0.002 else 4 * weight}


@pytest.mark.parametrize(("edge", "at"), [("smallest", 0.003), ("largest", 0.5)])
def test_on_a_hill_the_search_goes_on_at_the_side_that_is_asked_for(edge, at):
    ran = []

    def run(weight):
        ran.append(weight)
        return hill(weight)

    search = search_edge(run, Question(edge, "probe_r2", 0.8), **ENDS)
    low, high = search.bracket
    assert low <= at <= high and search.best == (high if edge == "smallest" else low)
    assert len(ran) == len(set(ran)) == len(search.history) == 8
    assert math.log10(high / low) == pytest.approx(2.5 / 2**5)


def test_a_rank_that_is_high_at_both_ends_is_searched_above_the_stretch_between():
    search = search_edge(hill, Question("smallest", "effective_rank", 6), **ENDS)
    assert search.bracket[0] <= 1.5 <= search.bracket[1]


def test_where_nothing_is_accepted_the_search_says_so_after_three_runs():
    search = search_edge(hill, Question("smallest", "probe_r2", 0.95), **ENDS)
    assert search.bracket is None and len(search.history) == 3 and "neither end" in search.words


def test_where_the_ends_bracket_already_nothing_is_spent_on_the_middle():
    search = search_edge(hill, Question("smallest", "probe_r2", 0.8), low=1e-4, high=0.1, budget=8)
    assert math.log10(search.bracket[1] / search.bracket[0]) == pytest.approx(3 / 2**6)


def test_what_is_known_is_not_trained_again():
    run = remembered(FAST.shared, FAST.steps, 0, {0.01: {"probe_r2": 7.0}})
    assert run(0.01001)["probe_r2"] == 7.0
    fresh = run(0.02)
    assert run(0.02) is fresh and fresh["probe_r2"] != 7.0


def test_a_short_search_trains_what_it_says():
    found = searches(FAST, 0)
    assert set(found) == set(QUESTIONS)
    assert [row["lambda"] for row in found["smallest"]["runs"][:2]] == [1e-4, 10.0]
    assert all(set(row) >= {"lambda", "probe_r2", "effective_rank", "std", "accepted"} for row in found["rank"]["runs"])
    assert set(values(FAST, {"searches": [found]})) >= {"lambda_bisection.smallest.lowest"}


def test_the_curve_s_lambdas_reach_from_end_to_end():
    assert lambdas(LambdaBisectionConfig())[:3] == [1e-4, 0.0003162, 0.001]
    assert lambdas(LambdaBisectionConfig())[-1] == 10 and len(lambdas(LambdaBisectionConfig())) == 11
    assert len(lambdas(replace(FAST, per_decade=1))) == 6


def test_the_kept_result_is_of_the_config_as_it_stands():
    kept = json.loads(asset_path("results/lambda_bisection.json").read_text(encoding="utf-8"))
    config, details = LambdaBisectionConfig(), kept["details"]
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, details)
    assert details["lambdas"] == lambdas(config) and len(details["searches"]) == len(config.searched)
    for by_seed in details["searches"]:
        for name, question in QUESTIONS.items():
            assert len(by_seed[name]["runs"]) == config.budget
            assert all(row["accepted"] == question.accepts(row) for row in by_seed[name]["runs"])
    assert all(len(by_lambda) == len(config.shared.seeds) for by_lambda in details["curve"]["probe_r2"])
