r"""C08, C25: how often SIGReg tells a cloud with dead dimensions from a healthy one, and what such a cloud costs.

A cloud is seen when it scores more than 95 in 100 healthy clouds of the same size, along directions drawn anew each
time. Dead dimensions are the last coordinates, without loss: directions are drawn evenly, so that a turned cloud scores
the same.

``python -m lewm_lite.experiments.dead_power`` measures and keeps the result; about six minutes on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.objectives.expected import expected_sigreg
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded


@dataclass(frozen=True)
class Disease:
    """So many dead dimensions. With ``full_energy`` the live ones are widened until the variances add up to dim."""

    dead: int
    full_energy: bool = False

    def variances(self, dim: int) -> Tensor:
        """``(dim,)``: the variance of each coordinate, the live ones first.

        Raises:
            ValueError: fewer than one live dimension.
        """
        if not 0 <= self.dead < dim:
            raise ValueError(f"dead must be from 0 to dim - 1 = {dim - 1}, got {self.dead}")
        live = torch.arange(dim) < dim - self.dead
        return live * (dim / (dim - self.dead) if self.full_energy else 1.0)

    @property
    def name(self) -> str:
        """As values are named: ``dead10``, or ``dead246_full``."""
        return f"dead{self.dead}{'_full' if self.full_energy else ''}"


TEN_LIVE = (Disease(246), Disease(246, full_energy=True))
RANK_EIGHT = Disease(184, full_energy=True)
MANY = (*(Disease(dead) for dead in (1, 3, 10, 26, 64, 128)), *TEN_LIVE)


@dataclass(frozen=True)
class Bench:
    """One size of cloud before one judge, and the diseases that are tried there."""

    num_samples: int
    num_directions: int = 64
    diseases: tuple[Disease, ...] = MANY
    dim: int = 256

    @property
    def name(self) -> str:
        """As values are named: ``d256_n128_k64``."""
        return f"d{self.dim}_n{self.num_samples}_k{self.num_directions}"


@dataclass(frozen=True)
class DeadPowerConfig:
    """All benches, and how often each cloud is drawn."""

    benches: tuple[Bench, ...] = (
        *(Bench(num_samples) for num_samples in (16, 32, 64, 128, 256, 512, 1024)),
        *(Bench(n, k, (Disease(10), Disease(26), TEN_LIVE[1])) for n in (128, 1024) for k in (1, 16, 256, 1024)),
        *(Bench(n, 256, (Disease(10), RANK_EIGHT), dim=192) for n in (16, 128, 1024)),  # the width of LeWorldModel
        Bench(128, 32, (Disease(1), Disease(8), Disease(28)), dim=32),  # what dead_revival starts from
    )
    repeats: int = 400
    healthy_repeats: int = 1200  # on which the line stands
    false_alarms: float = 0.05
    seed: int = 3


@dataclass(frozen=True)
class Reading:
    """What was seen of one disease on one bench."""

    seen: int  # clouds above the line
    repeats: int
    mean: float  # of the score
    error: float  # standard error of that mean
    expected: float  # from the closed form


def run(config: DeadPowerConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, dict[str, Reading]]:
    """``readings[bench][disease]``; the healthy clouds stand there as ``dead0``, seen on a sample of their own."""
    told = {}
    for bench in config.benches:
        told[bench.name] = look(bench, config)
        progress(bench.name)
    return told


def look(bench: Bench, config: DeadPowerConfig) -> dict[str, Reading]:
    """Every disease of one bench."""
    generator = seeded(config.seed)
    many = random_directions(bench.dim, 8192, generator=generator)
    level = scores(Disease(0), bench, config.healthy_repeats, generator).quantile(1 - config.false_alarms)
    told = {}
    for disease in (Disease(0), *bench.diseases):
        found = scores(disease, bench, config.repeats, generator)
        told[disease.name] = Reading(
            seen=int((found > level).sum()),
            repeats=config.repeats,
            mean=found.mean().item(),
            error=found.std().item() / math.sqrt(config.repeats),
            expected=expected_sigreg(disease.variances(bench.dim).double(), many, bench.num_samples).item(),
        )
    return told


def scores(disease: Disease, bench: Bench, repeats: int, generator: torch.Generator) -> Tensor:
    """The scores of ``repeats`` clouds, each with directions of its own: ``(repeats,)``."""
    widths = disease.variances(bench.dim).sqrt()
    found = torch.empty(repeats)
    for place in range(repeats):
        cloud = torch.randn(bench.num_samples, bench.dim, generator=generator) * widths
        found[place] = sigreg(cloud, random_directions(bench.dim, bench.num_directions, generator=generator))
    return found


def wilson(seen: int, repeats: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's formula.

    Raises:
        ValueError: ``seen`` outside 0 to ``repeats``, or no repeats.
    """
    if repeats < 1 or not 0 <= seen <= repeats:
        raise ValueError(f"seen must be from 0 to repeats >= 1, got {seen} of {repeats}")
    share, z = seen / repeats, 1.96
    middle = (share + z * z / (2 * repeats)) / (1 + z * z / repeats)
    half = z / (1 + z * z / repeats) * math.sqrt(share * (1 - share) / repeats + z * z / (4 * repeats * repeats))
    return max(0.0, middle - half), min(1.0, middle + half)


def values(readings: dict[str, dict[str, Reading]]) -> dict[str, float]:
    """``dead_power.bench.disease.power`` with ``_low`` and ``_high``, and ``.cost``: the mean score above the floor."""
    floor = expected_sigreg(torch.ones(2).double(), torch.eye(2).double(), 2).item()
    told: dict[str, float] = {}
    for bench, diseases in readings.items():
        for disease, reading in diseases.items():
            low, high = wilson(reading.seen, reading.repeats)
            kept: Sequence[tuple[str, float]] = (
                ("power", reading.seen / reading.repeats),
                ("power_low", low),
                ("power_high", high),
                ("cost", reading.mean - floor),
                ("cost_low", reading.mean - floor - 1.96 * reading.error),
                ("cost_high", reading.mean - floor + 1.96 * reading.error),
                ("expected_cost", reading.expected - floor),
            )
            told |= {f"dead_power.{bench}.{disease}.{name}": brief(value) for name, value in kept}
    return told


def main() -> None:
    """Measure, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = DeadPowerConfig()
    readings = run(config, progress=report)
    kept = values(readings)
    details = {bench: {name: asdict(reading) for name, reading in row.items()} for bench, row in readings.items()}
    path = keep_result("dead_power", config=config, values=kept, details=details, seed=config.seed)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
