"""C01, C02, C09, C10, C13, C26, C27: what each objective makes of one encoder on the same batches, over five seeds.

``python -m lewm_lite.experiments.objectives`` trains all and keeps the result, about ten minutes on one core; followed
by names of objectives it trains those alone again, and leaves the others as they were kept.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from lewm_lite.embeddings.diagnostics import effective_rank
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, completed, held_out, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.judging.probing import linear_probe
from lewm_lite.training.joint_embedding import OBJECTIVES


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
    fitted, judged = held_out(config)
    probe = linear_probe((fitted.first, fitted.state), (judged.first, judged.state))
    return probe.r2, effective_rank(judged.first)


def main() -> None:
    """Train, keep the result, and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *OBJECTIVES], help="train these alone again")
    torch.set_num_threads(1)
    config, names = ObjectivesConfig(), parser.parse_args().names
    made = run(config, names, progress=report)
    record = completed("objectives", config, made)
    raw, rank = raw_observations(config.shared)
    untrained = statistics.fmean(record.last("none", "probe_r2", step=0))
    values = {
        "objectives.raw.probe_r2": brief(raw),
        "objectives.raw.effective_rank": brief(rank),
        "objectives.untrained.probe_r2": brief(untrained),
    }
    for name in config.objectives:
        values |= record.told(f"objectives.{name}", name)
    path = keep_result("objectives", config=config, values=values, details=asdict(record), seed=0)
    print(f"{path.name}: {len(values)} values")


if __name__ == "__main__":
    main()
