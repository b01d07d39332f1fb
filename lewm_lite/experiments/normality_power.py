r"""C15, C16, C19: how often each one-dimensional test of normality sees that a sample is not what it asks for.

A sample is seen when it scores more than 95 in 100 healthy samples of the same size, by the simulated null of each
test. The alternatives are what a shadow of a sick cloud may look like. All but the last five have mean 0 and variance
1; ``shifted``, ``narrow`` and ``tiny`` are normal, so that a test against any normal law takes them for healthy.

Values: ``normality_power.n128.clumps.epps_pulley`` is the share of samples seen, with ``_low`` and ``_high``, the ends
of its 95 % interval by Wilson's formula. ``healthy`` stands among the alternatives: its share should be 0.05.

``python -m lewm_lite.experiments.normality_power`` measures and keeps the result; about five minutes on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.experiments.dead_power import wilson
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.objectives.normality import NORMALITY_TESTS, null_scores
from lewm_lite.seeding import seeded

Counts = dict[str, dict[str, dict[str, int]]]  # size -> alternative -> test -> samples seen


def two_humps(noise: Tensor) -> Tensor:
    """Two wide clumps of standard deviation 0.7 that merge: mean 0, variance 1, two faint humps."""
    return math.sqrt(0.51) * noise[..., 1:].sign() + 0.7 * noise[..., :1]


def skewed(noise: Tensor) -> Tensor:
    """A log-normal law of width 0.3, brought to mean 0 and variance 1; its skewness is 0.95."""
    width = 0.3
    raw = torch.exp(width * noise[..., :1])
    mean = math.exp(width**2 / 2)
    return (raw - mean) / (mean * math.sqrt(math.exp(width**2) - 1))


def outliers(noise: Tensor) -> Tensor:
    """Normal, but for the 2 % whose values are four times as large."""
    return torch.where(noise[..., 1:] > 2.0537, 4.0, 1.0) * noise[..., :1]


# Functions of noise (*leading, samples, 2): the first column is the sample's own, the second what a shape needs else.
ALTERNATIVES: dict[str, Callable[[Tensor], Tensor]] = {
    "healthy": clouds.isotropic,
    "line": clouds.line,  # the shadow of a line along itself: uniform
    "ring": lambda noise: clouds.ring(torch.cat([noise, noise[..., :1].flip(-2)], -1))[..., :1],
    "clumps": clouds.clumps,
    "two_humps": two_humps,
    "heavy_tailed": clouds.heavy_tailed,
    "skewed": skewed,
    "outliers": outliers,  # variance 1.3
    "shifted": lambda noise: clouds.isotropic(noise) + 0.25,
    "narrow": lambda noise: 0.8 * clouds.isotropic(noise),
    "wide": lambda noise: 1.25 * clouds.isotropic(noise),
    "tiny": clouds.point,  # collapsed: a Gaussian of standard deviation 0.01
}


@dataclass(frozen=True)
class NormalityPowerConfig:
    """Sizes, and how often each sample is drawn."""

    sizes: tuple[int, ...] = (64, 128, 256, 512, 1024)
    repeats: int = 500
    healthy_repeats: int = 2000  # on which each line stands
    false_alarms: float = 0.05
    seed: int = 0


def run(config: NormalityPowerConfig, *, progress: Callable[[str], None] = lambda _: None) -> Counts:
    """How many samples each test saw; all tests look at the same samples."""
    told: Counts = {}
    for size in config.sizes:
        generator = seeded(config.seed)
        levels = {
            name: null_scores(test, size, config.healthy_repeats, generator=generator).quantile(1 - config.false_alarms)
            for name, test in NORMALITY_TESTS.items()
        }
        row = told[f"n{size}"] = {}
        for alternative, made in ALTERNATIVES.items():
            noise = torch.randn(config.repeats, size, 2, generator=generator, dtype=torch.float64)
            samples = made(noise)[..., 0].mT
            row[alternative] = {
                name: int((test.evidence(samples) > levels[name]).sum()) for name, test in NORMALITY_TESTS.items()
            }
        progress(f"n{size}")
    return told


def values(config: NormalityPowerConfig, counts: Counts) -> dict[str, float]:
    """``normality_power.size.alternative.test`` with ``_low`` and ``_high``."""
    told: dict[str, float] = {}
    for size, row in counts.items():
        for alternative, tests in row.items():
            for test, seen in tests.items():
                name = f"normality_power.{size}.{alternative}.{test}"
                low, high = wilson(seen, config.repeats)
                told |= {name: brief(seen / config.repeats), f"{name}_low": brief(low), f"{name}_high": brief(high)}
    return told


def main() -> None:
    """Measure, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = NormalityPowerConfig()
    counts = run(config, progress=report)
    kept = values(config, counts)
    path = keep_result("normality_power", config=config, values=kept, details={"seen": counts}, seed=config.seed)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
