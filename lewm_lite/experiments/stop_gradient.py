"""C01, C27: how much gradient may pass through the target, what weight decay does, and a long run without the stop.

``python -m lewm_lite.experiments.stop_gradient`` trains all and keeps the result; about six minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.teachers import READINGS, WITHOUT_SIGREG
from lewm_lite.training.joint_embedding import OBJECTIVES, Objective
from lewm_lite.training.step import AdamWConfig


@dataclass(frozen=True)
class StopGradientConfig:
    """One encoder and a predictor, no teacher, but for the long run."""

    shared: LockstepConfig = WITHOUT_SIGREG
    leaks: tuple[float, ...] = (0.0, 0.01, 0.1, 0.5, 1.0)  # share of the target's gradient that passes
    weight_decays: tuple[float, ...] = (1.0,)  # decoupled, per step times the learning rate
    steps: int = 1000
    long_steps: int = 8000  # with a teacher that gradient passes into


def run(config: StopGradientConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Record]:
    """``leaks``, ``weight_decays`` and ``long``, one record each."""
    stopped, rate = OBJECTIVES["stop_gradient_only"], config.shared.learning_rate
    leaks = {f"leak{_word(leak)}": Objective(stop_gradient=1 - leak) for leak in config.leaks}
    records = {"leaks": train(config.shared, [Phase(config.steps, leaks)])}
    progress("leaks done")
    steps, readings = [], {}
    for decay in config.weight_decays:
        name, optimiser = f"decay{_word(decay)}", AdamWConfig(rate, weight_decay=decay)
        record = train(config.shared, [Phase(config.steps, {name: stopped})], optimiser=optimiser)
        steps, readings = record.steps, {**readings, **record.readings}
        progress(f"{name}: std {record.last(name, 'std')}")
    records["weight_decays"] = Record(steps, readings)
    long = {"ema_only": OBJECTIVES["ema_only"]}
    shared = replace(config.shared, every=max(config.shared.every, config.long_steps // 16))
    records["long"] = train(shared, [Phase(config.long_steps, long)], progress=progress)
    return records


def values(config: StopGradientConfig, records: dict[str, Record]) -> dict[str, float]:
    """``stop_gradient.<model>.<reading>`` at the end, with the 95 % interval over seeds."""
    told: dict[str, float] = {}
    for part, record in records.items():
        for name in record.readings:
            shown = "long" if part == "long" else name
            told |= record.told(f"stop_gradient.{shown}", name, READINGS)
    return told


def _word(number: float) -> str:
    return f"{number:g}".replace(".", "_")


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = StopGradientConfig()
    records = run(config, progress=report)
    details = {part: asdict(record) for part, record in records.items()}
    kept = values(config, records)
    path = keep_result("stop_gradient", config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
