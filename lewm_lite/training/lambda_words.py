"""What a search for λ found, in sentences: the edge, or why there is none to be seen and where to look for it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from numbers import Real

from torch import Tensor


def told(
    runs: Sequence,
    best: float | None,
    bracket: tuple[float, float] | None,
    out_of_order: Sequence[tuple[float, float]],
    *,
    ends: tuple[float, float],
) -> str:
    """The sentences of a :class:`lewm_lite.training.lambda_search.LambdaSearch`.

    Args:
        runs: those between the ends, with `weight`, `result`, `accepted` and `error`.
        best, bracket, out_of_order: what was found.
        ends: between which it was searched.
    """
    parts = [_edge(best, bracket, len(runs), ends) if bracket is not None else _no_edge(runs, ends)]
    if out_of_order:
        accepted, rejected = max(out_of_order, key=lambda pair: max(pair) / min(pair))
        parts.append(
            f"But the answers change sides more than once: λ = {accepted:.3g} was accepted though {rejected:.3g}, "
            "nearer to the accepted end, was not. There are several edges, and this is the one next to that end."
        )
    failed = [done for done in runs if done.error]
    if failed:
        named = "; ".join(f"λ = {done.weight:.3g} ({done.error})" for done in failed)
        parts.append(f"Failed, and counted as rejected: {named}.")
    return " ".join(parts)


def _edge(best: float, bracket: tuple[float, float], count: int, ends: tuple[float, float]) -> str:
    low, high = bracket
    kind, beside, other = ("smallest", "below", low) if best == high else ("largest", "above", high)
    return (
        f"λ = {best:.3g} is the {kind} that was accepted, and {other:.3g} just {beside} it was not: "
        f"{count} runs between {ends[0]:.3g} and {ends[1]:.3g}, to a factor of {high / low:.3g}."
    )


def _no_edge(runs: Sequence, ends: tuple[float, float]) -> str:
    ordered = sorted(runs, key=lambda done: done.weight)
    low, high = ordered[0].weight, ordered[-1].weight  # the ends, unless the budget did not reach to them
    verdict = ordered[0].accepted
    start = f"No edge is bracketed: {_outermost(ordered, ends)}"
    others = [done.weight for done in ordered if done.accepted != verdict]
    if others:
        answer, here = ("is", "accepted") if not verdict else ("is not", "rejected")
        return (
            f"{start}, but λ = {others[0]:.3g} between them {answer}. The {here} stretch lies inside, with two edges: "
            f"search {low:.3g} to {others[0]:.3g} for the lower one, {others[-1]:.3g} to {high:.3g} for the upper one."
        )
    between = [done.weight for done in ordered[1:-1]]
    same = f", and nor is λ = {between[0]:.3g} between them" if between and not verdict else ""
    same = f", and so is λ = {between[0]:.3g} between them" if between and verdict else same
    if verdict:
        return f"{start}{same}. The smallest accepted λ lies below {low:.3g}, the largest above {high:.3g}: look there."
    return (
        f"{start}{same}. An accepted λ lies below {low:.3g}, above {high:.3g}, or in a stretch between that these runs "
        "stepped over: look at the results to see which."
    )


def _outermost(ordered: Sequence, ends: tuple[float, float]) -> str:
    """What the lowest and the highest run said, and whether they are the ends at all."""
    first, last = ordered[0], ordered[-1]
    gave = " and ".join(f"λ = {done.weight:.3g} gave {short(done)}" for done in (first, last))
    pairs = zip(ends, (first.weight, last.weight), strict=True)
    unrun = [f"{end:.3g}" for end, ran in pairs if not math.isclose(end, ran, rel_tol=1e-9)]
    if not unrun:
        return f"{'both ends are' if first.accepted else 'neither end is'} accepted ({gave})"
    never = f"the ends {unrun[0]} and {unrun[1]} were" if len(unrun) == 2 else f"the end {unrun[0]} was"
    said = "both the lowest and the highest run are" if first.accepted else "neither the lowest nor the highest run is"
    return f"{never} not run, for the budget was spent, and {said} accepted ({gave})"


def short(done: object) -> str:
    """A run's result, or its error, in a few words."""
    return done.error or _few(done.result)


def _few(result: object) -> str:
    match result:
        case bool():
            return str(result)
        case Tensor() if result.numel() == 1:
            return f"{result.item():.4g}"
        case Real():
            return f"{float(result):.4g}"
        case Mapping():
            return ", ".join(f"{name} {_few(value)}" for name, value in result.items())
    return reprlib.repr(result)
