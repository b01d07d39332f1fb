"""C01, C02, C09, C10, C13, C26, C27: what each objective makes of one encoder on the same batches, over five seeds.

``python -m lewm_lite.experiments.objectives`` trains all and keeps the result, about ten minutes on one core; followed
by names of objectives it trains those alone again, and leaves the others as they were kept.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from lewm_lite.embeddings.diagnostics import effective_rank
from lewm_lite.experiments.lockstep import READINGS, LockstepConfig, Phase, Record, completed, train
from lewm_lite.experiments.results import keep_result
from lewm_lite.judging.probing import linear_probe
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import OBJECTIVES
from lewm_lite.world.two_views import TwoViews


@dataclass(frozen=True)
class ObjectivesConfig:
    """Which objectives, for how long."""

    shared: LockstepConfig = LockstepConfig()
    objectives: tuple[str, ...] = tuple(OBJECTIVES)
    steps: int = 2000


def run(config: ObjectivesConfig, names: Sequence[str] = (), *, progress=lambda _: None) -> Record:
    """Train every objective, or those named, on every seed; nothing else differs."""
    phase = Phase(config.steps, {name: OBJECTIVES[name] for name in names or config.objectives})
    return train(config.shared, [phase], progress=progress)


def raw_observations(config: LockstepConfig) -> tuple[float, float]:
    """Probe R² and effective rank of the observations themselves: what an encoder that learns nothing could keep."""
    world = TwoViews(config.world)
    fitted, judged = (world.sample(config.judged_samples, generator=seeded(place)) for place in (11, 12))
    probe = linear_probe((fitted.first, fitted.state), (judged.first, judged.state))
    return probe.r2, effective_rank(judged.first)


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


def summary(prefix: str, record: Record, names: Sequence[str], readings: Sequence[str] = READINGS) -> dict[str, float]:
    """``prefix.name.reading`` with ``_low`` and ``_high`` beside it: last judgement, mean and 95 % interval."""
    told: dict[str, float] = {}
    for name in names:
        for reading in readings:
            found = interval(record.last(name, reading))
            for ending, value in zip(("", "_low", "_high"), found, strict=True):
                told[f"{prefix}.{name}.{reading}{ending}"] = float(f"{value:.4g}")
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *OBJECTIVES], help="train these alone again")
    torch.set_num_threads(1)
    config, names = ObjectivesConfig(), parser.parse_args().names
    made = run(config, names, progress=lambda words: print(words, file=sys.stderr, flush=True))
    record = completed("objectives", config, made)
    raw, rank = raw_observations(config.shared)
    untrained = interval(record.last("none", "probe_r2", step=0))[0]
    values = {
        "objectives.raw.probe_r2": float(f"{raw:.4g}"),
        "objectives.raw.effective_rank": float(f"{rank:.4g}"),
        "objectives.untrained.probe_r2": float(f"{untrained:.4g}"),
        **summary("objectives", record, config.objectives),
    }
    path = keep_result("objectives", config=config, values=values, details=asdict(record), seed=0)
    print(f"{path.name}: {len(values)} values")


if __name__ == "__main__":
    main()
