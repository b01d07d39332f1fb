"""The runs of a search for λ: what is kept of each, in a file or not, and how kept ones come together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from numbers import Complex, Real
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lewm_lite.files import json_bytes, write_atomically


@dataclass(frozen=True)
class LambdaRun:
    """One run, and what was said of it."""

    weight: float  # λ
    result: object = None  # what the run gave
    accepted: bool | None = None  # None: not judged yet
    error: str = ""  # why the run failed; a failed run is a rejected one

    @property
    def failed(self) -> bool:
        """Whether the run raised an error, or gave NaN."""
        return bool(self.error)


def kept_runs(history: Sequence[LambdaRun], file: Path | None) -> list[LambdaRun]:
    """The runs of a file and those of a history, each once: equal ones, by λ, result and error, are one run.

    With a file the results of the history become what JSON makes of them, as those of the file are.
    """
    history, found = list(history), []
    for done in history:
        if not isinstance(done, LambdaRun):
            raise TypeError(
                f"history must hold LambdaRun, got {type(done).__name__}: give a search's history, or read_runs(file)"
            )
    given = history if file is None else [replace(done, result=as_json("history", done.result)) for done in history]
    for done in (*(read_runs(file) if file is not None else ()), *given):
        if not any(_equal(done, other) for other in found):
            found.append(done)
    return found


def read_runs(file: Path) -> list[LambdaRun]:
    """The runs that a search kept in a file; none if there is no such file.

    Raises:
        ValueError: a file that holds something else.
    """
    file = Path(file)
    if not file.exists():
        return []
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # also where the bytes are no text
        raise ValueError(f"file must hold the runs of a search as JSON, got {file}: {error}") from error
    rows = kept.get("runs") if isinstance(kept, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f'file must hold {{"runs": [...]}} as bisect_lambda writes it, got other JSON in {file}')
    return [_read(row, place, file) for place, row in enumerate(rows)]


def write_runs(file: Path | None, runs: Sequence[LambdaRun]) -> None:
    """Write all runs anew, whole; nothing where there is no file."""
    if file is None:
        return
    kept = [
        {"lambda": float(done.weight), "result": done.result, "accepted": done.accepted, "error": done.error}
        for done in runs
    ]
    write_atomically(Path(file), json_bytes({"runs": kept}))


def as_json(name: str, result: object) -> object:
    """A result as it comes back from a file: tuples are lists, and keys are words."""
    try:
        return json.loads(json.dumps(result))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must give what JSON holds when a file is kept, got {type(result).__name__}: {error}"
        ) from error


def holds_nan(result: object) -> bool:
    """Whether NaN is among the numbers of a result: of a tensor, an array, a list, a dictionary, a dataclass."""
    match result:
        case Tensor():
            return bool(torch.isnan(result).any())
        case np.ndarray() if result.dtype != object:
            return bool((result != result).any())  # NaN differs from itself
        case Complex() | np.number():
            return bool(result != result)
        case Mapping():
            return any(holds_nan(value) for value in result.values())
        case list() | tuple() | set() | frozenset():
            return any(holds_nan(value) for value in result)
        case np.ndarray():
            return any(holds_nan(value) for value in result.flat)
    if is_dataclass(result) and not isinstance(result, type):
        return any(holds_nan(getattr(result, field.name, None)) for field in fields(result))
    return False


def _read(row: object, place: int, file: Path) -> LambdaRun:
    names = ("lambda", "result", "accepted", "error")
    missing = [name for name in names if not isinstance(row, dict) or name not in row]
    if missing:
        raise ValueError(f"run {place} in {file} must hold {', '.join(names)}: {', '.join(missing)} missing")
    weight = row["lambda"]
    if isinstance(weight, bool) or not isinstance(weight, Real) or math.isnan(weight):
        raise ValueError(f"lambda of run {place} in {file} must be a number, got {weight!r}")
    return LambdaRun(*(row[name] for name in names))


def _equal(one: LambdaRun, other: LambdaRun) -> bool:
    """Whether two records are of one run: their results are the same object or, NaN like NaN, the same in JSON."""
    if one.weight != other.weight or one.error != other.error:
        return False
    if one.result is other.result:
        return True
    try:
        return json.dumps(one.result) == json.dumps(other.result)
    except (TypeError, ValueError):
        return False
