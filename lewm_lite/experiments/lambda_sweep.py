r"""C21, P10: the outcome of training for λ over five decades, at several batch sizes N and embedding dimensions D.

A cell of the sweep is one N with one D. In each, models that differ in λ alone start from the same weights and see the
same batches. Two edges are read off a cell's curve: the λ between which a probe reads nearly as much as at the best.
Cells of another N are tried at the λ that give the same λ·N: if that is what counts, their curves are equal, place by
place; if λ itself counts, they are shifted.

``python -m lewm_lite.experiments.lambda_sweep`` trains all cells; followed by names of cells, such as ``128/16``, it
trains those alone again and leaves the others as they were kept. A cell takes from half a minute to six on one core.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from lewm_lite.experiments.lockstep import READINGS, LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, kept_details, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.training.joint_embedding import Objective

USUAL = "128/16"
LAMBDAS = (1e-4, 3.16e-4, 1e-3, 1.78e-3, 3.16e-3, 5.62e-3, 1e-2, 3.16e-2, 1e-1, 3.16e-1, 1.0, 3.16, 10.0)
Readings = dict[str, list[list[float]]]  # reading -> per λ, one number per seed


@dataclass(frozen=True)
class LambdaSweepConfig:
    """Which λ, in which cells, for how long."""

    shared: LockstepConfig = LockstepConfig(every=1000)
    lambdas: tuple[float, ...] = LAMBDAS  # of the first cell; elsewhere times its N / the cell's
    cells: tuple[str, ...] = (USUAL, "32/16", "512/16", "128/4", "128/64")  # N/D
    seeds_elsewhere: int = 3  # in cells other than the first
    ends_elsewhere: tuple[float, float] = (1e-3, 3.16)  # and there λ between these alone
    slow: tuple[str, ...] = ("512/16", "128/64")  # cells whose steps take long are tried
    few: tuple[float, ...] = (1.78e-3, 3.16e-3, 1e-2, 1e-1, 3.16e-1, 1.0)  # at these λ, and only these
    steps: int = 1000
    margin: float = 0.02  # a probe R² that much below the cell's best still counts as good


def shared_of(cell: str, config: LambdaSweepConfig) -> LockstepConfig:
    """What the models of a cell share: the sweep's settings with the cell's N and D.

    Raises:
        ValueError: a name that is not ``N/D``, two positive integers.
    """
    samples, dim = _sizes(cell)
    seeds = config.shared.seeds if cell == config.cells[0] else config.shared.seeds[: config.seeds_elsewhere]
    network = replace(config.shared.network, dim=dim)
    return replace(config.shared, seeds=seeds, batch_size=samples, network=network)


def lambdas_of(cell: str, config: LambdaSweepConfig) -> list[float]:
    """The λ tried in a cell, ascending: those of the first cell at the same λ·N."""
    if cell == config.cells[0]:
        return list(config.lambdas)
    factor, (low, high) = _sizes(config.cells[0])[0] / _sizes(cell)[0], config.ends_elsewhere
    tried = config.few if cell in config.slow else [weight for weight in config.lambdas if low <= weight <= high]
    return [brief(weight * factor) for weight in tried]


def run(cell: str, config: LambdaSweepConfig, *, progress: Callable[[str], None] = lambda _: None) -> Readings:
    """Train one cell's models; what is read off them at the end."""
    objectives = {f"{weight:g}": Objective(sigreg=weight) for weight in lambdas_of(cell, config)}
    record = train(
        shared_of(cell, config), [Phase(config.steps, objectives)], progress=lambda words: progress(f"{cell}: {words}")
    )
    return at_the_end(record)


def at_the_end(record: Record) -> Readings:
    """The last reading of every model, in the order in which they are named."""
    return {reading: [record.last(name, reading) for name in record.readings] for reading in READINGS}


def means(readings: Readings, reading: str = "probe_r2") -> list[float]:
    """One reading's mean over seeds, per λ."""
    return [statistics.fmean(numbers) for numbers in readings[reading]]


def edges(lambdas: Sequence[float], probes: Sequence[float], *, margin: float) -> tuple[float | None, float | None]:
    """Between which λ the probe stays within ``margin`` of the best, on the curve's straight pieces in log λ.

    Args:
        lambdas: ascending. probes: one number per λ. margin: how far below the best still counts.
    Returns:
        The edge below the best λ and the edge above it; None where the curve ends before it falls.
    """
    best = max(range(len(probes)), key=probes.__getitem__)
    level = probes[best] - margin

    def crossing(places: Sequence[int]) -> float | None:
        for inner, outer in zip(places, places[1:], strict=False):
            if probes[outer] < level:
                share = (probes[inner] - level) / (probes[inner] - probes[outer])
                inside, outside = math.log(lambdas[inner]), math.log(lambdas[outer])
                return math.exp(inside + share * (outside - inside))
        return None

    return crossing(range(best, -1, -1)), crossing(range(best, len(probes)))


def values(config: LambdaSweepConfig, cells: Mapping[str, Readings]) -> dict[str, float]:
    """Best λ and edges of every cell, and what was read at every λ, with intervals over seeds."""
    told: dict[str, float] = {}
    for cell, readings in cells.items():
        prefix, probes = f"lambda_sweep.{name_of(cell)}", means(readings)
        best = max(range(len(probes)), key=probes.__getitem__)
        lambdas = lambdas_of(cell, config)
        told[f"{prefix}.best_lambda"] = lambdas[best]
        told |= over_seeds(f"{prefix}.best_probe_r2", readings["probe_r2"][best])
        told |= over_seeds(f"{prefix}.best_rank", readings["effective_rank"][best])
        low, high = edges(lambdas, probes, margin=config.margin)
        told |= {f"{prefix}.{side}": brief(edge) for side, edge in (("low", low), ("high", high)) if edge is not None}
        if low is not None and high is not None:
            told[f"{prefix}.decades"] = brief(math.log10(high / low))
        told |= _at_each(cell, config, readings)
    return told


def _at_each(cell: str, config: LambdaSweepConfig, readings: Readings) -> dict[str, float]:
    """A cell's readings at each λ: of the first cell all, of others what is compared."""
    first = cell == config.cells[0]
    told: dict[str, float] = {}
    for place, weight in enumerate(lambdas_of(cell, config)):
        prefix = f"lambda_sweep.{word_of(weight) if first else name_of(cell) + '.' + word_of(weight)}"
        for reading in READINGS if first else ("probe_r2", "effective_rank"):
            told |= over_seeds(f"{prefix}.{reading}", readings[reading][place])
    return told


def _sizes(cell: str) -> tuple[int, int]:
    numbers = cell.split("/")
    if len(numbers) != 2 or not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise ValueError(f"cell must be N/D, two positive integers such as {USUAL}, got {cell!r}")
    return int(numbers[0]), int(numbers[1])


def name_of(cell: str) -> str:
    """``128/16`` -> ``n128_d16``: a word that a value's name can hold."""
    samples, dim = cell.split("/")
    return f"n{samples}_d{dim}"


def word_of(weight: float) -> str:
    """0.00316 -> ``at_0_00316``."""
    return f"at_{weight:.10f}".rstrip("0").rstrip(".").replace(".", "_")


def main() -> None:
    """Train the cells, keep each as it is done, and say what came out."""
    config = LambdaSweepConfig()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", choices=[[], *config.cells], help="train these alone again")
    torch.set_num_threads(1)
    for cell in parser.parse_args().cells or config.cells:
        made = run(cell, config, progress=report)
        kept = kept_details("lambda_sweep", config=config)
        cells = {**(kept["readings"] if kept else {}), cell: made}
        readings = {name: cells[name] for name in config.cells if name in cells}
        details = {
            "lambdas": config.lambdas,
            "lambdas_of": {name: lambdas_of(name, config) for name in readings},
            "readings": readings,
        }
        told = values(config, readings)
        path = keep_result("lambda_sweep", config=config, values=told, details=details, seed=0)
        print(f"{path.name}, {cell}: {len(told)} values")


if __name__ == "__main__":
    main()
