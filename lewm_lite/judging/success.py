"""A share of successes, with how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from lewm_lite.checks import check_positive_integer


@dataclass(frozen=True)
class SuccessRate:
    """How often something succeeded, with its interval.

    Args:
        successes: from 0 to ``trials``. trials: >= 1.
    Raises:
        ValueError: numbers outside that.
    Example:
        >>> rate = SuccessRate(97, 100)
        >>> rate.success, [round(end, 3) for end in rate.interval]
        (0.97, [0.915, 0.99])
    """

    successes: int
    trials: int

    def __post_init__(self) -> None:
        wilson_interval(self.successes, self.trials)

    @property
    def success(self) -> float:
        """The share."""
        return self.successes / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, see :func:`wilson_interval`."""
        return wilson_interval(self.successes, self.trials)

    def as_dict(self) -> dict[str, float | int | list[float]]:
        """For JSON, four decimals."""
        return {
            "success": round(self.success, 4),
            "interval": [round(end, 4) for end in self.interval],
            "successes": self.successes,
            "trials": self.trials,
        }


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    r"""The ends of Wilson's score interval of a share: all $p$ that so many successes do not speak against.

    $$\frac{\hat p + \frac{c^2}{2n} \pm c\sqrt{\frac{\hat p(1 - \hat p)}{n} + \frac{c^2}{4n^2}}}{1 + \frac{c^2}{n}}$$

    with $c$ the normal quantile. It stays within 0 and 1, and does not shrink to a point at 0 or at all successes.

    Args:
        successes: from 0 to ``trials``. trials: >= 1. confidence: between 0 and 1.
    Raises:
        ValueError: numbers outside that.
    Source:
        Wilson 1927, Probable inference, the law of succession, and statistical inference.
    Example:
        >>> [round(end, 4) for end in wilson_interval(0, 50)]
        [0.0, 0.0713]
    """
    check_positive_integer("trials", trials)
    check_positive_integer("successes", successes, minimum=0)
    if successes > trials:
        raise ValueError(f"successes must be at most the {trials} trials, got {successes}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    quantile = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, pull = successes / trials, quantile**2 / trials
    middle = share + pull / 2
    half = math.sqrt(pull * share * (1 - share) + pull**2 / 4)
    return max((middle - half) / (1 + pull), 0.0), min((middle + half) / (1 + pull), 1.0)
