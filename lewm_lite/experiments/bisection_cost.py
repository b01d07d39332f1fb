"""C22: how many runs does a bisection on λ take, and what does it find, beside VICReg's grid of two weights?

From a bracket of four decades, by seed: the smallest λ whose probe R² is within 0.02 of the best of ``vicreg_grid``
(what counts as good there), and the smallest whose cloud is alive, which takes no probe to say. Runs are as long as the
grid's, on the same task. What ``lambda_sweep`` trained with the same λ and seed is taken from there.

What sentences quote: ``plateau_run``, the number of the first run that is good; for each question ``found`` (seeds with
an edge), ``lowest`` and ``highest`` λ over seeds, ``factor`` (the bracket's width, upper over lower), ``probe_r2``,
``effective_rank`` and ``std`` at the λ found, with 95 % interval; ``runs`` of one search, and ``runs_for_all``, of both
together, since they share some; ``neither_end``, seeds at which both ends are rejected by the probe. That the middle of
the bracket is good is luck in part: ``plateau_decades`` is how wide the sweep's good stretch is, and ``middle_share``
the share of brackets of this width around it whose middle lies in it. For comparison the runs that cells tried in
random order would take until the first good one: ``vicreg_random``, ``lambda_random``.

``python -m lewm_lite.experiments.bisection_cost`` makes it, in a moment after the sweep and in about six minutes on one
core without it; it goes on where it was left.
"""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass, replace

import torch

from lewm_lite.experiments.lambda_questions import Question, as_rows, remembered, search_edge
from lewm_lite.experiments.lambda_sweep import USUAL, LambdaSweepConfig, edges, means, shared_of
from lewm_lite.experiments.lockstep import LockstepConfig
from lewm_lite.experiments.results import keep_result, kept_details, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.files import asset_path

NAME = "bisection_cost"


@dataclass(frozen=True)
class BisectionCostConfig:
    """The bracket, the budget, and what will do."""

    shared: LockstepConfig = LockstepConfig()
    steps: int = 1000  # as in vicreg_grid
    low: float = 1e-4
    high: float = 1.0
    budget: int = 6  # the ends, and four halvings: to a quarter of a decade
    good: float = 0.8665  # probe R²: 0.02 below the best mean over seeds of any cell of vicreg_grid
    alive: float = 0.1  # standard deviation of a cloud that counts as alive


def questions(config: BisectionCostConfig) -> dict[str, Question]:
    """What is asked of a run."""
    return {
        "smallest_good": Question("smallest", "probe_r2", config.good),
        "smallest_alive": Question("smallest", "std", config.alive),
    }


def swept(config: BisectionCostConfig, seed: int) -> dict[float, dict]:
    """λ -> what ``lambda_sweep`` read off its model of that seed; nothing if none is kept that was trained alike."""
    sweep = LambdaSweepConfig()
    details = kept_details("lambda_sweep", config=sweep)
    same = replace(shared_of(USUAL, sweep), every=config.shared.every) == config.shared and sweep.steps == config.steps
    if details is None or not same:
        return {}
    place, readings = config.shared.seeds.index(seed), details["readings"][USUAL]
    return {
        weight: {reading: by_lambda[at][place] for reading, by_lambda in readings.items()}
        for at, weight in enumerate(details["lambdas"])
    }


def searches(config: BisectionCostConfig, seed: int) -> dict[str, dict]:
    """``searches[question]`` of one seed: its runs in order, what was found, its words; and ``runs``, how many
    different λ all of them asked for."""
    run = remembered(config.shared, config.steps, seed, swept(config, seed))
    found: dict[str, dict] = {}
    for name, question in questions(config).items():
        search = search_edge(run, question, low=config.low, high=config.high, budget=config.budget)
        found[name] = {
            "runs": as_rows(search),
            "best": search.best,
            "bracket": search.bracket,
            "words": search.words,
        }
    asked = {f"{row['lambda']:.3g}" for one in found.values() for row in one["runs"]}
    return {**found, "runs": len(asked)}


def plateau_run(rows: list[dict], good: float) -> int | None:
    """The number of the first good run of a search, from 1; None if none was."""
    return next((place for place, row in enumerate(rows, 1) if row["probe_r2"] >= good), None)


def plateau(config: BisectionCostConfig) -> dict[str, float]:
    """How wide the sweep's good stretch is, in decades, and how often a bracket around it has its middle there."""
    sweep = LambdaSweepConfig()
    details = kept_details("lambda_sweep", config=sweep)
    if details is None:
        return {}
    low, high = edges(details["lambdas"], means(details["readings"][USUAL]), margin=sweep.margin)
    if low is None or high is None:
        return {}
    wide, bracket = math.log10(high / low), math.log10(config.high / config.low)
    return {
        f"{NAME}.plateau_decades": wide,
        f"{NAME}.middle_share": min(1.0, wide / (bracket - wide)) if wide < bracket else 0.0,
    }


def values(config: BisectionCostConfig, details: dict) -> dict[str, float]:
    """See the module's words."""
    by_seed = details["searches"]
    first = [plateau_run(one["smallest_good"]["runs"], config.good) or config.budget + 1 for one in by_seed]
    told: dict[str, float] = {
        f"{NAME}.runs": config.budget,
        f"{NAME}.runs_for_all": statistics.fmean(one["runs"] for one in by_seed),
        f"{NAME}.plateau_run": statistics.fmean(first),
        f"{NAME}.plateau_run_latest": max(first),
        f"{NAME}.neither_end": sum(
            not any(row["accepted"] for row in one["smallest_good"]["runs"][:2]) for one in by_seed
        ),
    }
    for name in questions(config):
        told |= _of_a_question(f"{NAME}.{name}", [one[name] for one in by_seed])
    return {name: brief(value) for name, value in (told | plateau(config) | _of_the_grid()).items()}


def _of_a_question(prefix: str, found: list[dict]) -> dict[str, float]:
    edges = [one for one in found if one["best"] is not None]
    told: dict[str, float] = {f"{prefix}.found": len(edges)}
    if len(edges) < 2:
        return told
    at_best = [next(row for row in one["runs"] if row["lambda"] == one["best"]) for one in edges]
    told[f"{prefix}.lowest"] = min(one["best"] for one in edges)
    told[f"{prefix}.highest"] = max(one["best"] for one in edges)
    told[f"{prefix}.factor"] = max(one["bracket"][1] / one["bracket"][0] for one in edges)
    for reading in ("probe_r2", "effective_rank", "std"):
        told |= over_seeds(f"{prefix}.{reading}", [row[reading] for row in at_best])
    return told


def _of_the_grid() -> dict[str, float]:
    """What the kept grid took: cells, and how many of them, tried in random order, until the first good one."""
    grid = json.loads(asset_path("results/vicreg_grid.json").read_text(encoding="utf-8"))["values"]
    cells, good = grid["vicreg_grid.cells"], grid["vicreg_grid.good_cells"]
    row, good_row = grid["vicreg_grid.lambdas"], grid["vicreg_grid.good_lambdas"]
    return {
        f"{NAME}.vicreg_runs": cells,
        f"{NAME}.vicreg_random": (cells + 1) / (good + 1),
        f"{NAME}.lambda_random": (row + 1) / (good_row + 1),
        f"{NAME}.vicreg_probe_r2": grid["vicreg_grid.best_vicreg"],
    }


def main() -> None:
    """Search with every seed, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = BisectionCostConfig()
    details = kept_details(NAME, config=config) or {"searches": []}
    for seed in config.shared.seeds[len(details["searches"]) :]:
        details["searches"].append(searches(config, seed))
        keep_result(NAME, config=config, values={}, details=details, seed=0)
        report(f"seed {seed}: {details['searches'][-1]['smallest_good']['words']}")
    kept = values(config, details)
    path = keep_result(NAME, config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
