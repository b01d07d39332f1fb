"""C01, C26: what a teacher is worth when the predictor learns slower, or faster, than the encoder.

``python -m lewm_lite.experiments.predictor_rate`` trains all and keeps the result; about four minutes on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.teachers import READINGS, WITHOUT_SIGREG, name_of
from lewm_lite.model.joint_embedding import JointEmbeddingConfig
from lewm_lite.training.joint_embedding import OBJECTIVES
from lewm_lite.training.step import AdamWConfig


@dataclass(frozen=True)
class PredictorRateConfig:
    """Every rate with every momentum; the target always comes without gradient. Equal rates are in ``teachers``."""

    shared: LockstepConfig = WITHOUT_SIGREG
    rates: tuple[float, ...] = (0.1, 10.0)  # the predictor's learning rate over the encoder's
    momenta: tuple[float, ...] = (0.0, 0.99, 0.999)  # 0: no teacher
    steps: int = 1000


def run(config: PredictorRateConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Record]:
    """The records by rate, ``x0_1`` for a tenth; inside each, models are named by their teacher's momentum."""
    objective, records = OBJECTIVES["ema_stop_gradient"], {}
    for rate in config.rates:
        optimiser = AdamWConfig(predictor_learns(config.shared.network, config.shared.learning_rate, rate))
        steps, readings = [], {}
        for momentum in config.momenta:
            name = name_of(momentum)
            shared = replace(config.shared, momentum=momentum)
            record = train(shared, [Phase(config.steps, {name: objective})], optimiser=optimiser)
            steps, readings = record.steps, {**readings, **record.readings}
            progress(f"rate {rate:g}, momentum {momentum:g}: probe R² {record.last(name, 'probe_r2')}")
        records[f"x{rate:g}".replace(".", "_")] = Record(steps, readings)
    return records


def predictor_learns(network: JointEmbeddingConfig, learning_rate: float, factor: float) -> Tensor:
    """A learning rate for every parameter, ``(parameters,)``: ``factor`` times as much for the predictor's."""
    rates = [
        torch.full((math.prod(shape),), learning_rate * (factor if name.startswith("predictor.") else 1))
        for name, shape in network.shapes().items()
    ]
    return torch.cat(rates)


def values(config: PredictorRateConfig, records: dict[str, Record]) -> dict[str, float]:
    """``predictor_rate.<rate>.<momentum>.<reading>`` at the end, with the 95 % interval over seeds."""
    told: dict[str, float] = {}
    for rate, record in records.items():
        for name in record.readings:
            told |= record.told(f"predictor_rate.{rate}.{name}", name, READINGS)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = PredictorRateConfig()
    records = run(config, progress=report)
    details = {rate: asdict(record) for rate, record in records.items()}
    kept = values(config, records)
    path = keep_result("predictor_rate", config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
