"""C01, C26: a teacher with stop-gradient, by the teacher's momentum and by what stands between encoder and target.

``python -m lewm_lite.experiments.teachers`` trains all and keeps the result; about six minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.model.joint_embedding import JointEmbeddingConfig
from lewm_lite.training.joint_embedding import OBJECTIVES

READINGS = ("std", "effective_rank", "prediction", "probe_r2")
PREDICTORS = ("no_predictor", "linear", "network")  # by their number of layers


@dataclass(frozen=True)
class PredictorConfig(JointEmbeddingConfig):
    """The networks with a predictor of so many layers; with none, an embedding stands for its own prediction."""

    predictor_layers: int = 2

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Layer widths of each network, by its prefix."""
        sizes = super().sizes()
        if self.predictor_layers == 0:
            return {prefix: widths for prefix, widths in sizes.items() if prefix != "predictor."}
        return {**sizes, "predictor.": (self.dim, *(self.hidden_dim,) * (self.predictor_layers - 1), self.dim)}


# SIGReg is asked for nowhere here, so that one direction, drawn and not used, is enough.
WITHOUT_SIGREG = LockstepConfig(seeds=(0, 1, 2), num_directions=1, every=250, network=PredictorConfig())


@dataclass(frozen=True)
class TeachersConfig:
    """Every momentum with every predictor; the target always comes from the teacher and without gradient."""

    shared: LockstepConfig = WITHOUT_SIGREG
    momenta: tuple[float, ...] = (0.0, 0.9, 0.99, 0.999, 1.0)  # 0: the encoder itself; 1: its first state, for ever
    predictors: tuple[str, ...] = PREDICTORS
    steps: int = 1000


def run(config: TeachersConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Record]:
    """The records by predictor; inside each, models are named by :func:`name_of` their momentum."""
    records = {}
    for predictor in config.predictors:
        network = replace(config.shared.network, predictor_layers=PREDICTORS.index(predictor))
        steps, readings = [], {}
        for momentum in config.momenta:
            name = name_of(momentum)
            shared = replace(config.shared, network=network, momentum=momentum)
            record = train(shared, [Phase(config.steps, {name: OBJECTIVES["ema_stop_gradient"]})])
            steps, readings = record.steps, {**readings, **record.readings}
            progress(f"{predictor}, momentum {momentum:g}: std {record.last(name, 'std')}")
        records[predictor] = Record(steps, readings)
    return records


def name_of(momentum: float) -> str:
    """0.99 -> ``m0_99``: a word that a value's name can hold."""
    return f"m{momentum:g}".replace(".", "_")


def values(config: TeachersConfig, records: dict[str, Record]) -> dict[str, float]:
    """``teachers.<predictor>.<momentum>.<reading>`` at the end, with the 95 % interval over seeds."""
    told: dict[str, float] = {}
    for predictor, record in records.items():
        for name in record.readings:
            told |= record.told(f"teachers.{predictor}.{name}", name, READINGS)
    for predictor, record in records.items():  # over all momenta, and all seeds of each
        stds = [std for name in record.readings for std in record.last(name, "std")]
        told[f"teachers.{predictor}.least_std"] = brief(min(stds))
        told[f"teachers.{predictor}.most_std"] = brief(max(stds))
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = TeachersConfig()
    records = run(config, progress=report)
    details = {predictor: asdict(record) for predictor, record in records.items()}
    kept = values(config, records)
    path = keep_result("teachers", config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
