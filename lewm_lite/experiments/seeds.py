"""Numbers over seeds, as sentences quote them: a mean beside the ends of its interval, four digits each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def interval(numbers: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and the ends of its 95 % interval by Student's t, over seeds.

    Raises:
        ValueError: fewer than two numbers.
    """
    if len(numbers) < 2:
        raise ValueError(f"an interval needs at least 2 numbers, got {len(numbers)}")
    from scipy.stats import t

    mean = statistics.fmean(numbers)
    half = float(t.ppf(0.975, len(numbers) - 1)) * statistics.stdev(numbers) / math.sqrt(len(numbers))
    return mean, mean - half, mean + half


def over_seeds(name: str, numbers: Sequence[float]) -> dict[str, float]:
    """``name``, ``name_low`` and ``name_high``: the mean and its 95 % interval, rounded."""
    return {name + ending: brief(value) for ending, value in zip(("", "_low", "_high"), interval(numbers), strict=True)}


def brief(number: float) -> float:
    """Four significant digits: what two machines share, and more than a sentence says."""
    return float(f"{number:.4g}")
