"""Questions about λ that have a yes or no for one training run, and a search that finds the edge they ask for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from lewm_lite.experiments.lockstep import READINGS, LockstepConfig, Phase, train
from lewm_lite.training.joint_embedding import Objective
from lewm_lite.training.lambda_search import LambdaRun, LambdaSearch, bisect_lambda

SAME = 2e-3  # λs that differ by less are one: half of their third digit
Result = Mapping[str, float]  # reading -> its value at the end of a run


@dataclass(frozen=True)
class Question:
    """The smallest or largest λ whose run reads at least ``level``."""

    edge: Literal["smallest", "largest"]
    reading: str
    level: float

    def accepts(self, result: Result) -> bool:
        """Whether a run is a yes."""
        return result[self.reading] >= self.level


def search_edge(
    run: Callable[[float], Result],
    question: Question,
    *,
    low: float,
    high: float,
    budget: int,
    history: Sequence[LambdaRun] = (),
) -> LambdaSearch:
    """Bisect between the ends; where both say the same and the middle does not, between it and the end that is asked.

    The smallest accepted λ has a rejected one below it, the largest has one above it: that says which side to take. The
    runs made so far are kept, and count.

    Args:
        run, low, high, budget, history: as for :func:`lewm_lite.training.lambda_search.bisect_lambda`.
        question: what is asked.
    """
    found = bisect_lambda(run, question.accepts, low=low, high=high, budget=budget, history=history)
    if found.bracket is not None:
        return found
    ordered = sorted((done for done in found.history if low <= done.weight <= high), key=lambda done: done.weight)
    wanted = (False, True) if question.edge == "smallest" else (True, False)
    for below, above in zip(ordered, ordered[1:], strict=False):
        if (below.accepted, above.accepted) == wanted:
            outside = sum(not below.weight <= done.weight <= above.weight for done in ordered)
            ends = {"low": below.weight, "high": above.weight}
            return bisect_lambda(run, question.accepts, **ends, budget=budget - outside, history=found.history)
    return found


def trained(config: LockstepConfig, steps: int, seed: int, weight: float) -> dict[str, float]:
    """Train one model of that seed with λ = ``weight``, and read it at the end."""
    shared = replace(config, seeds=(seed,), every=steps)
    record = train(shared, [Phase(steps, {"one": Objective(sigreg=weight)})])
    return {reading: record.last("one", reading)[0] for reading in READINGS}


def remembered(config: LockstepConfig, steps: int, seed: int, known: dict[float, Result]) -> Callable[[float], Result]:
    """:func:`trained` as a function of λ, which trains no λ twice: ``known`` is what was trained, and grows.

    Three digits of a λ are enough to know it by.
    """
    make = partial(trained, config, steps, seed)

    def run(weight: float) -> Result:
        near = next((done for done in known if math.isclose(done, weight, rel_tol=SAME)), None)
        if near is None:
            known[weight] = make(weight)
            near = weight
        return known[near]

    return run


def as_rows(search: LambdaSearch) -> list[dict]:
    """A search's history as JSON holds it."""
    return [{"lambda": done.weight, **dict(done.result), "accepted": done.accepted} for done in search.history]
