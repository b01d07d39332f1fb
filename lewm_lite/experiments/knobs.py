r"""C20, C21, P17: what else could be tuned, each knob turned by itself at the book's λ, over three seeds.

Knots, the range of frequencies, the number of directions, the learning rate, the batch size, and a BatchNorm before the
encoder's last layer, as the authors' projector has one. λ itself and the dimension stand beside them, taken from the
kept ``lambda_sweep``, whose models are these in all else.

``python -m lewm_lite.experiments.knobs`` turns all; followed by names of knobs, such as ``knots``, it turns those alone
again and leaves the others as they were kept. A knob takes one to three minutes on one core.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch

from lewm_lite.experiments.lambda_sweep import LambdaSweepConfig, Readings, at_the_end
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, train
from lewm_lite.experiments.results import keep_result, kept_details, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.model.joint_embedding import JointEmbeddingConfig
from lewm_lite.objectives.sigreg import Score, sigreg
from lewm_lite.training.joint_embedding import SIGREG_WEIGHT, Objective

Outcomes = dict[str, Readings]  # setting, as written -> reading -> one number per seed


@dataclass(frozen=True)
class WithBatchNorm(JointEmbeddingConfig):
    """The networks with BatchNorm between the encoder's last two layers."""

    def normalised(self) -> tuple[int, ...]:
        """Layers of the encoder that end in BatchNorm."""
        return (1,)


@dataclass(frozen=True)
class KnobsConfig:
    """What each knob is turned to; the settings of ``shared``, 17 knots and a range of 3 are in the sweep already."""

    shared: LockstepConfig = LockstepConfig(seeds=(0, 1, 2), every=1000)
    steps: int = 1000
    sigreg_weight: float = SIGREG_WEIGHT
    knots: tuple[int, ...] = (5, 33)
    t_max: tuple[float, ...] = (1.0, 5.0, 10.0)
    num_directions: tuple[int, ...] = (1, 16)
    learning_rate: tuple[float, ...] = (1e-4, 3.16e-4, 3.16e-3)
    batch_size: tuple[int, ...] = (32, 512)
    batch_norm: tuple[str, ...] = ("with",)
    usual: tuple[str, ...] = ("17", "3", "64", "0.001", "128", "without")  # of these six, as written
    weights: tuple[float, ...] = (1e-2, 3.16e-2, 1e-1, 3.16e-1, 1.0)  # λ that stand beside, a decade each way
    dims: tuple[str, ...] = ("128/4", "128/16", "128/64")  # cells of the sweep, the second being the usual one


NAMES = {  # of all knobs that are compared, as a picture writes them
    "lambda": "λ",
    "learning_rate": "learning rate",
    "num_directions": "K, directions",
    "batch_size": "N, batch size",
    "dim": "D, dimension",
    "t_max": "range of t",
    "batch_norm": "BatchNorm",
    "knots": "knots",
}
KNOBS = ("knots", "t_max", "num_directions", "learning_rate", "batch_size", "batch_norm")


def setting(knob: str, value: float | str, config: KnobsConfig) -> tuple[LockstepConfig, Score]:
    """What models share, and the score, with one knob turned.

    Raises:
        ValueError: no such knob.
    """
    if knob in ("knots", "t_max"):
        return config.shared, partial(sigreg, **{knob: value})
    if knob in ("num_directions", "learning_rate", "batch_size"):
        return replace(config.shared, **{knob: value}), sigreg
    if knob != "batch_norm":
        raise ValueError(f"knob must be one of {KNOBS}, got {knob!r}")
    network = config.shared.network
    return replace(
        config.shared, network=WithBatchNorm(network.observation_dim, network.hidden_dim, network.dim)
    ), sigreg


def run(knob: str, config: KnobsConfig, *, progress: Callable[[str], None] = lambda _: None) -> Outcomes:
    """Train with one knob at each of its settings; the usual setting is not among them."""
    outcomes = {}
    phase = Phase(config.steps, {"sigreg": Objective(sigreg=config.sigreg_weight)})
    for value in getattr(config, knob):
        shared, score = setting(knob, value, config)
        record = train(shared, [phase], score=score)
        written = value if isinstance(value, str) else f"{value:g}"
        outcomes[written] = {reading: numbers[0] for reading, numbers in at_the_end(record).items()}
        progress(f"{knob} {written}: probe R² {outcomes[written]['probe_r2']}")
    return outcomes


def beside(
    sweep: Mapping[str, Readings], config: KnobsConfig, lambdas: Mapping[str, list[float]]
) -> dict[str, Outcomes]:
    """λ and the dimension, as the sweep has them, of the seeds that the other knobs are turned with.

    Args:
        sweep: cell -> reading -> per λ, one number per seed. lambdas: cell -> its λ.
    """

    def at(cell: str, weight: float) -> Readings:
        place, seeds = lambdas[cell].index(weight), len(config.shared.seeds)
        return {reading: numbers[place][:seeds] for reading, numbers in sweep[cell].items()}

    usual = config.dims[1]
    return {
        "lambda": {f"{weight:g}": at(usual, weight) for weight in config.weights},
        "dim": {cell.split("/")[1]: at(cell, config.sigreg_weight) for cell in config.dims},
    }


def with_the_usual(turned: Mapping[str, Outcomes], usual: Readings, config: KnobsConfig) -> dict[str, Outcomes]:
    """Every knob's outcomes with the usual setting among them, in ascending order."""

    def place(written: str) -> float:
        return ("without", "with").index(written) if written.isalpha() else float(written)

    told = {}
    for knob, written in zip(KNOBS, config.usual, strict=True):
        if knob in turned:
            both = {**turned[knob], written: usual}
            told[knob] = {name: both[name] for name in sorted(both, key=place)}
    return told


def usual_settings(config: KnobsConfig) -> dict[str, str]:
    """Where every knob stands while another is turned, as written."""
    beside = {"lambda": f"{config.sigreg_weight:g}", "dim": config.dims[1].split("/")[1]}
    return {**beside, **dict(zip(KNOBS, config.usual, strict=True))}


def values(outcomes: Mapping[str, Outcomes]) -> dict[str, float]:
    """``knobs.<knob>.<setting>.<reading>`` with intervals; a knob's lowest and highest mean probe, and their gap."""
    told: dict[str, float] = {}
    for knob, settings in outcomes.items():
        probes = [statistics.fmean(readings["probe_r2"]) for readings in settings.values()]
        told |= {f"knobs.{knob}.lowest": brief(min(probes)), f"knobs.{knob}.highest": brief(max(probes))}
        told[f"knobs.{knob}.spread"] = brief(max(probes) - min(probes))
        for written, readings in settings.items():
            prefix = f"knobs.{knob}.{written.replace('.', '_').replace('-', 'm')}"
            for reading in ("probe_r2", "effective_rank", "std"):
                told |= over_seeds(f"{prefix}.{reading}", readings[reading])
    return told


def main() -> None:
    """Turn the knobs, keep each as it is done, and say what came out."""
    config, sweep_config = KnobsConfig(), LambdaSweepConfig()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("knobs", nargs="*", choices=[[], *KNOBS], help="turn these alone again")
    torch.set_num_threads(1)
    sweep = kept_details("lambda_sweep", config=sweep_config)
    if sweep is None:
        raise FileNotFoundError("no result lambda_sweep of the present config: run lewm_lite.experiments.lambda_sweep")
    taken = beside(sweep["readings"], config, sweep["lambdas_of"])
    usual = taken["lambda"][f"{config.sigreg_weight:g}"]
    for knob in parser.parse_args().knobs or KNOBS:
        made = run(knob, config, progress=report)
        kept = kept_details("knobs", config=config)
        turned = {**(kept["turned"] if kept else {}), knob: made}
        outcomes = {**taken, **with_the_usual(turned, usual, config)}
        details = {"turned": turned, "outcomes": outcomes}
        path = keep_result("knobs", config=config, values=values(outcomes), details=details, seed=0)
        print(f"{path.name}, {knob} done")


if __name__ == "__main__":
    main()
