"""What the lab of the same name lays over the reader's eight runs: the machine's eight, and the whole curve.

Both are trained as long as the lab trains, on the same task with the same step: λ over five decades and five seeds; and
for each question of the lab a search of eight runs by :func:`lewm_lite.experiments.lambda_questions.search_edge`.

``python -m lewm_lite.experiments.lambda_bisection`` makes it, about four minutes on one core; it goes on where it was
left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from lewm_lite.experiments.lambda_questions import Question, as_rows, remembered, search_edge
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, train
from lewm_lite.experiments.results import keep_result, kept_details, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.training.joint_embedding import Objective

NAME = "lambda_bisection"
READINGS = ("probe_r2", "effective_rank", "std")
QUESTIONS: dict[str, Question] = {
    "smallest": Question("smallest", "probe_r2", 0.8),
    "largest": Question("largest", "probe_r2", 0.8),
    "rank": Question("smallest", "effective_rank", 6.0),
}


@dataclass(frozen=True)
class LambdaBisectionConfig:
    """How long a run is, and between which ends it is searched."""

    shared: LockstepConfig = LockstepConfig()
    steps: int = 400
    low: float = 1e-4
    high: float = 10.0
    budget: int = 8
    searched: tuple[int, ...] = (0,)  # seeds of the searches
    per_decade: int = 2  # λs of the curve


def lambdas(config: LambdaBisectionConfig) -> list[float]:
    """The curve's λs, both ends among them."""
    count = round(config.per_decade * math.log10(config.high / config.low))
    return [float(f"{config.low * (config.high / config.low) ** (k / count):.4g}") for k in range(count + 1)]


def curve(config: LambdaBisectionConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict:
    """``curve[reading][λ][seed]`` at the end of a run."""
    shared = replace(config.shared, every=config.steps)
    objectives = {f"{weight:g}": Objective(sigreg=weight) for weight in lambdas(config)}
    record = train(shared, [Phase(config.steps, objectives)], progress=progress)
    return {reading: [record.last(name, reading) for name in objectives] for reading in READINGS}


def searches(config: LambdaBisectionConfig, seed: int) -> dict[str, dict]:
    """``searches[question]``: the runs, what was found, and its words; a run that two questions want is made once."""
    known: dict[float, dict] = {}
    run = remembered(config.shared, config.steps, seed, known)
    found = {}
    for name, question in QUESTIONS.items():
        search = search_edge(run, question, low=config.low, high=config.high, budget=config.budget)
        found[name] = {
            "runs": as_rows(search),
            "best": search.best,
            "bracket": search.bracket,
            "words": search.words,
        }
    return found


def values(config: LambdaBisectionConfig, details: dict) -> dict[str, float]:
    """``lambda_bisection.question.``: ``lowest`` and ``highest`` best over seeds, ``factor`` of the widest bracket."""
    told: dict[str, float] = {}
    for name in QUESTIONS:
        found = [by_seed[name] for by_seed in details["searches"]]
        best = [one["best"] for one in found if one["best"] is not None]
        told[f"{NAME}.{name}.found"] = len(best)
        told[f"{NAME}.{name}.lowest"] = brief(min(best, default=0.0))
        told[f"{NAME}.{name}.highest"] = brief(max(best, default=0.0))
        told[f"{NAME}.{name}.factor"] = brief(
            max((one["bracket"][1] / one["bracket"][0] for one in found if one["bracket"]), default=0.0)
        )
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = LambdaBisectionConfig()
    details = kept_details(NAME, config=config) or {"lambdas": lambdas(config), "searches": []}
    for seed in config.searched[len(details["searches"]) :]:
        details["searches"].append(searches(config, seed))
        keep_result(NAME, config=config, values={}, details=details, seed=0)
        report(f"searches of seed {seed}: " + "; ".join(one["words"] for one in details["searches"][-1].values()))
    if "curve" not in details:
        details["curve"] = curve(config, progress=report)
    kept = values(config, details)
    path = keep_result(NAME, config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
