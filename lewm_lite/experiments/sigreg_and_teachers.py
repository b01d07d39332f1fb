"""C26, C27: what a teacher and a stop-gradient still add once SIGReg is there.

``python -m lewm_lite.experiments.sigreg_and_teachers`` trains all and keeps the result; about six minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.teachers import READINGS
from lewm_lite.training.joint_embedding import OBJECTIVES

WITH = {
    "alone": OBJECTIVES["sigreg"],
    "and_stop_gradient": OBJECTIVES["sigreg"]._replace(stop_gradient=1.0),
    "and_ema": OBJECTIVES["sigreg"]._replace(teacher=1.0),
    "and_both": OBJECTIVES["sigreg"]._replace(teacher=1.0, stop_gradient=1.0),
}


@dataclass(frozen=True)
class SIGRegAndTeachersConfig:
    """SIGReg at its weight throughout."""

    shared: LockstepConfig = LockstepConfig()
    steps: int = 1000


def run(config: SIGRegAndTeachersConfig, *, progress: Callable[[str], None] = lambda _: None) -> Record:
    """SIGReg alone, and with each of the two devices and both."""
    return train(config.shared, [Phase(config.steps, WITH)], progress=progress)


def values(config: SIGRegAndTeachersConfig, record: Record) -> dict[str, float]:
    """``sigreg_and_teachers.<which>.<reading>`` at the end, with the 95 % interval over seeds."""
    told: dict[str, float] = {}
    for name in WITH:
        told |= record.told(f"sigreg_and_teachers.{name}", name, READINGS)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = SIGRegAndTeachersConfig()
    record = run(config, progress=report)
    kept = values(config, record)
    path = keep_result("sigreg_and_teachers", config=config, values=kept, details=asdict(record), seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
