r"""C22: does the smallest λ that keeps the cloud alive depend on how long one trains?

Near the point SIGReg and the prediction error both grow with the square of the cloud's size, so that one of them wins:
a cloud shrinks for ever or comes back, and next to the edge either could take long. In two cells of ``lambda_sweep`` λ
that left it dead after 1,000 steps are trained three times as long, and judged on the way.

``python -m lewm_lite.experiments.lambda_patience`` trains all; about three minutes on one core.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import torch

from lewm_lite.experiments.lambda_sweep import LambdaSweepConfig, name_of, shared_of, word_of
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.training.joint_embedding import Objective

ALIVE = 0.5  # a mean probe R² above it: an encoder that sees no state has about 0, an untrained one 0.63


@dataclass(frozen=True)
class LambdaPatienceConfig:
    """Which λ in which cells, for how long."""

    sweep: LambdaSweepConfig = LambdaSweepConfig(shared=LockstepConfig(seeds=(0, 1, 2), every=1000))
    cells: tuple[str, ...] = ("128/16", "128/4")
    lambdas: tuple[tuple[float, ...], ...] = ((1.33e-3, 1.78e-3), (3.16e-3,))  # of each cell
    steps: int = 3000
    every: int = 1000


def run(config: LambdaPatienceConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Record]:
    """Train a model per λ and seed in every cell."""
    records = {}
    for cell, weights in zip(config.cells, config.lambdas, strict=True):
        objectives = {f"{weight:g}": Objective(sigreg=weight) for weight in weights}
        shared = replace(shared_of(cell, config.sweep), every=config.every)
        records[cell] = train(shared, [Phase(config.steps, objectives)], progress=progress)
    return records


def smallest_alive(record: Record, step: int) -> float | None:
    """The smallest λ whose mean probe R² at this step is that of a living encoder; None if there is none."""
    alive = [
        float(name) for name in record.readings if statistics.fmean(record.last(name, "probe_r2", step=step)) > ALIVE
    ]
    return min(alive, default=None)


def values(records: Mapping[str, Record]) -> dict[str, float]:
    """By cell, every λ's probe and std at each judgement, and the smallest living λ at the end."""
    told: dict[str, float] = {}
    for cell, record in records.items():
        prefix = f"lambda_patience.{name_of(cell)}"
        weight = smallest_alive(record, record.steps[-1])
        if weight is not None:
            told[f"{prefix}.smallest_alive"] = weight
        for name in record.readings:
            for step in record.steps[1:]:
                for reading in ("std", "probe_r2"):
                    mean = statistics.fmean(record.last(name, reading, step=step))
                    told[f"{prefix}.{word_of(float(name))}.{reading}_{step}"] = brief(mean)
    return told


def main() -> None:
    """Train all, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = LambdaPatienceConfig()
    records = run(config, progress=report)
    kept = values(records)
    details = {cell: asdict(record) for cell, record in records.items()}
    path = keep_result("lambda_patience", config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
