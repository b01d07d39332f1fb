r"""The edge of an acceptable λ by bisection: each run halves what is left, in decades.

**What a bisection can answer.** It finds where a yes turns into a no, so the question must have one such place between
the two ends: *the smallest λ at which the cloud is healthy* (no below, yes above), or *the largest at which the
prediction still is good* (yes below, no above). Which of the two is asked follows from the ends. It cannot find the
best λ of a curve that rises and falls, since a yes or no of one run does not say on which side of the top it is; for
that, `accept` must give a sign: *is the effective rank above its target?*, *does the probe still rise with λ?* And
where the curve is flat over decades there is nothing to find but the flat stretch's edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from lewm_lite.checks import check_positive_integer, check_positive_number
from lewm_lite.training.lambda_record import LambdaRun, as_json, holds_nan, kept_runs, write_runs
from lewm_lite.training.lambda_record import read_runs as read_runs
from lewm_lite.training.lambda_words import told


@dataclass(frozen=True)
class LambdaSearch:
    """What a search found, and all it went by."""

    best: float | None  # the accepted end of the bracket; None if no edge lies between the ends
    bracket: tuple[float, float] | None  # (low, high): the edge lies between, one is accepted and one is not
    history: tuple[LambdaRun, ...]  # every run, in the order in which they were made
    words: str  # all this in sentences
    out_of_order: tuple[tuple[float, float], ...] = ()  # (accepted, rejected) λs whose order should be the other one


def bisect_lambda(
    run: Callable[[float], object],
    accept: Callable[[object], bool],
    *,
    low: float,
    high: float,
    budget: int,
    checks: int = 0,
    history: Sequence[LambdaRun] = (),
    file: Path | None = None,
) -> LambdaSearch:
    r"""Search the edge of the accepted λ between two ends that are told apart, halving what is left in log λ.

    The ends are run first, and count, unless `history` brackets an edge already. If one is accepted and the other is
    not, every further run halves the bracket in log λ, at $\sqrt{\text{low}\cdot\text{high}}$. If both say the same,
    one run between them tells an island from a plain; then the search stops and says to which side to look. A run that
    raises, or whose result holds NaN (in a tensor, array, list, dictionary or dataclass, too), is recorded with its
    error and counts as rejected: such a λ is none to train with. To try it again, leave it out of `history` and file.

    A bisection believes that there is one edge, and never looks where it would see otherwise. ``checks`` runs of the
    budget, the last ones, go to the middle of the widest stretches that were taken on trust. An answer that contradicts
    the order, from there or from `history`, is told; the bracket is then the edge next to the accepted end.

    Args:
        run: λ -> anything. It must itself be repeatable, by seeds of its own: a search cannot average.
        accept: a run's result -> whether this λ will do. Kept results are judged anew at every search, so that runs
            once made answer other questions.
        low, high: the ends, positive.
        budget: the most runs, 2 or more, those of `history` between the ends included.
        checks: so many of them are not spent on halving, 0 or more.
        history: runs already made, at any λ, for example another search's `history`; they are not made again. A run
            that is in it twice, or in the file as well, counts once.
        file: a JSON file of runs, read if it exists and written anew, whole, after each run, before `accept` sees it;
            results must then be what JSON holds (numbers, words, lists, dictionaries), and `accept` sees them as they
            come back from it: tuples as lists, keys as words.
    Returns:
        :class:`LambdaSearch`.
    Raises:
        ValueError: ends that are no two positive numbers in rising order, too small a budget, more checks than it
            leaves, a file that holds no runs, or one λ both accepted and rejected. TypeError: `accept` gives no truth
            value, `history` holds something else than runs, or a result does not fit into the file.
    Example:
        >>> search = bisect_lambda(lambda weight: weight, lambda result: result > 0.02, low=1e-4, high=1, budget=6)
        >>> print(f"{search.bracket[0]:.4f} < 0.02 < {search.best:.4f}, after {len(search.history)} runs")
        0.0178 < 0.02 < 0.0316, after 6 runs
    """
    _check(low, high, budget, checks)
    low, high = float(low), float(high)
    runs = [_judged(done, accept) for done in kept_runs(history, file)]
    _check_answers(_between(runs, low, high))
    while True:
        inside = _between(runs, low, high)
        left = budget - len(inside)
        weight = next_weight(inside, low=low, high=high, check=left <= checks) if left > 0 else None
        if weight is None:
            return _search(runs, inside, low, high)
        made = _as_read_again(_attempt(run, weight), file)
        write_runs(file, [*runs, made])
        runs.append(_judged(made, accept))
        write_runs(file, runs)


def next_weight(runs: Sequence[LambdaRun], *, low: float, high: float, check: bool = False) -> float | None:
    """The λ that a search would run next after these, or None if it has nothing left to ask.

    Args:
        runs: those made so far between the ends, judged. low, high: the ends. check: look where none was expected.
    """
    ordered = sorted(runs, key=lambda done: done.weight)
    if not ordered or ordered[0].accepted == ordered[-1].accepted:
        wanted = [low, high]
        if len(ordered) >= 2 and len({done.accepted for done in ordered}) == 1:
            wanted.append(math.sqrt(low * high))
        return next((weight for weight in wanted if not any(_same(weight, done.weight) for done in ordered)), None)
    bracket = bracket_of(ordered)
    gaps = [(below.weight, above.weight) for below, above in zip(ordered, ordered[1:], strict=False)]
    trusted = [gap for gap in gaps if gap != bracket]
    below, above = max(trusted, key=lambda gap: gap[1] / gap[0]) if check and trusted else bracket
    middle = math.sqrt(below * above)
    return middle if below < middle < above and not _same(below, above) else None


def bracket_of(runs: Sequence[LambdaRun]) -> tuple[float, float] | None:
    """Between which two λ the edge lies that is next to the accepted end; None if both ends say the same."""
    ordered = sorted(runs, key=lambda done: done.weight)
    if not ordered or ordered[0].accepted == ordered[-1].accepted:
        return None
    pairs = list(zip(ordered, ordered[1:], strict=False))
    if ordered[-1].accepted:
        pairs.reverse()
    below, above = next(pair for pair in pairs if pair[0].accepted != pair[1].accepted)
    return below.weight, above.weight


def _attempt(run: Callable[[float], object], weight: float) -> LambdaRun:
    try:
        result = run(weight)
    except Exception as error:  # whatever it is, the runs before it must not be lost
        return LambdaRun(weight, error=f"{type(error).__name__}: {error}")
    return LambdaRun(weight, result, error="the result holds NaN" if holds_nan(result) else "")


def _as_read_again(done: LambdaRun, file: Path | None) -> LambdaRun:
    """A run as the file will give it back, so that it is judged alike now and then."""
    return done if file is None else replace(done, result=as_json("run", done.result))


def _judged(done: LambdaRun, accept: Callable[[object], bool]) -> LambdaRun:
    if done.failed:
        return replace(done, accepted=False)
    verdict = accept(done.result)
    if isinstance(verdict, Tensor):
        verdict = verdict.item()
    if not isinstance(verdict, bool | np.bool_):
        raise TypeError(f"accept must give True or False, got {verdict!r} for the result at λ = {done.weight:.3g}")
    return replace(done, accepted=bool(verdict))


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9)


def _between(runs: Sequence[LambdaRun], low: float, high: float) -> list[LambdaRun]:
    return [done for done in runs if low * (1 - 1e-9) <= done.weight <= high * (1 + 1e-9)]


def _search(runs: Sequence[LambdaRun], inside: Sequence[LambdaRun], low: float, high: float) -> LambdaSearch:
    bracket = bracket_of(inside)
    accepted = {done.weight for done in inside if done.accepted}
    rejected = {done.weight for done in inside if not done.accepted}
    best, wrong = None, ()
    if bracket is not None:
        best = bracket[0] if bracket[0] in accepted else bracket[1]
        rises = best == bracket[1]
        wrong = tuple(sorted((a, r) for a in accepted for r in rejected if (a < r) == rises))
    return LambdaSearch(best, bracket, tuple(runs), told(inside, best, bracket, wrong, ends=(low, high)), wrong)


def _check(low: float, high: float, budget: int, checks: int) -> None:
    check_positive_number("low", low)
    check_positive_number("high", high)
    if not low < high:
        raise ValueError(f"low must be below high, got low={low:g} and high={high:g}")
    check_positive_integer("budget", budget, minimum=2)
    check_positive_integer("checks", checks, minimum=0)
    if checks > budget - 2:
        raise ValueError(f"checks must leave two runs of the budget for the ends, got {checks} of {budget}")


def _check_answers(runs: Sequence[LambdaRun]) -> None:
    """Refuse two answers at one λ: no bracket can lie between them."""
    ordered = sorted(runs, key=lambda done: done.weight)
    for one, other in zip(ordered, ordered[1:], strict=False):
        if _same(one.weight, other.weight) and one.accepted != other.accepted:
            raise ValueError(
                f"history and file must give one answer at each λ, got λ = {one.weight:.3g} both accepted and "
                "rejected: leave one of the two runs out"
            )
