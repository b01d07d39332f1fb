r"""C08: does the gradient of SIGReg bring dead dimensions back, also where a batch does not show them?

The encoder is one matrix, so that its law is known without sampling: a batch is $z = Wx$ with $x \sim N(0, I)$, and the
embeddings' covariance is $WW^\top$. It starts as the identity with its last rows next to nothing, and plain gradient
descent on SIGReg moves it, with a fresh batch and fresh directions at every step. Beside each run stands one whose
gradient is multiplied by +1 or -1 as a coin falls: the same noise, and no push on average.

``python -m lewm_lite.experiments.dead_revival`` trains and keeps the result; about two minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import effective_rank_of
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded

ALIVE = 0.5  # of the dead rows' root mean square std: from here on they count as alive
HEALTHY = 0.9  # of the dimensions, as effective rank


@dataclass(frozen=True)
class Start:
    """What a run starts from, and whether its gradient keeps its sign."""

    dead: int
    std: float = 0.02  # of a dead dimension
    coin: bool = False

    @property
    def name(self) -> str:
        """As values are named: ``dead8``, ``dead8_coin``, ``dead8_from_0``."""
        return f"dead{self.dead}" + ("_from_0" if self.std == 0 else "") + ("_coin" if self.coin else "")

    def matrix(self, dim: int) -> Tensor:
        """``(dim, dim)``: the identity with its last ``dead`` rows times ``std``.

        Raises:
            ValueError: no live row left.
        """
        if not 0 <= self.dead < dim:
            raise ValueError(f"dead must be from 0 to dim - 1 = {dim - 1}, got {self.dead}")
        return torch.diag(torch.where(torch.arange(dim) < dim - self.dead, 1.0, self.std))


@dataclass(frozen=True)
class DeadRevivalConfig:
    """What all runs share."""

    dim: int = 32
    num_samples: int = 128
    num_directions: int = 32
    learning_rate: float = 0.02  # small: at 0.1 the noise alone wakes the dead as fast as the push does
    steps: int = 4000
    every: int = 40
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    starts: tuple[Start, ...] = (
        *(Start(dead, coin=coin) for dead in (1, 8, 28) for coin in (False, True)),
        Start(8, std=0.0),
    )


@dataclass(frozen=True)
class Record:
    """``readings[start][reading][seed]`` is a list over ``steps``: ``dead_std``, ``live_std``, ``effective_rank``."""

    steps: list[int]
    readings: dict[str, dict[str, list[list[float]]]]


def run(config: DeadRevivalConfig, *, progress: Callable[[str], None] = lambda _: None) -> Record:
    """All starts and seeds side by side; those of one seed see the same batches and directions.

    Raises:
        ValueError: no seed or no start.
    """
    if not config.seeds or not config.starts:
        raise ValueError(f"at least one seed and start are needed, got {len(config.seeds)} and {len(config.starts)}")
    seeds, count = len(config.seeds), len(config.starts)
    generators = [seeded(1000 + seed) for seed in config.seeds]
    matrices = torch.stack([start.matrix(config.dim) for start in config.starts for _ in config.seeds])
    coin = torch.tensor([start.coin for start in config.starts for _ in config.seeds])[:, None, None]
    slope = torch.func.vmap(torch.func.grad(lambda matrix, batch, lines: sigreg(batch @ matrix.mT, lines)))
    steps, seen = [], []
    for step in range(config.steps + 1):
        if step % config.every == 0:
            steps.append(step)
            seen.append(_look(matrices, config.starts, seeds))
            if step % 200 == 0:
                progress(f"step {step}")
        shared = [_draw(config, generator) for generator in generators]
        batch, lines, falls = (torch.stack(column).repeat(count, 1, 1) for column in zip(*shared, strict=True))
        gradient = slope(matrices, batch, lines)
        matrices = matrices - config.learning_rate * gradient * torch.where(coin, falls, 1.0)
    readings = {
        start.name: {
            reading: [[brief(look[reading][place * seeds + seed]) for look in seen] for seed in range(seeds)]
            for reading in seen[0]
        }
        for place, start in enumerate(config.starts)
    }
    return Record(steps, readings)


def _draw(config: DeadRevivalConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A batch, directions, and how the coin falls."""
    return (
        torch.randn(config.num_samples, config.dim, generator=generator),
        random_directions(config.dim, config.num_directions, generator=generator),
        torch.randint(0, 2, (1, 1), generator=generator) * 2.0 - 1,
    )


def _look(matrices: Tensor, starts: Sequence[Start], seeds: int) -> dict[str, list[float]]:
    """The law's own readings: nothing is sampled."""
    variances = matrices.square().sum(2)
    dim = variances.shape[1]
    dead = torch.tensor([start.dead for start in starts]).repeat_interleave(seeds)
    is_dead = torch.arange(dim) >= dim - dead[:, None]
    spectrum = torch.linalg.eigvalsh((matrices @ matrices.mT).double()).clamp_min(0)
    return {
        "dead_std": ((variances * is_dead).sum(1) / dead).sqrt().tolist(),
        "live_std": ((variances * ~is_dead).sum(1) / (dim - dead)).sqrt().tolist(),
        "effective_rank": effective_rank_of(spectrum).tolist(),
    }


def first_step(steps: Sequence[int], curve: Sequence[float], level: float) -> int | None:
    """The first judged step at which a curve has reached a level; None if it never does."""
    return next((step for step, value in zip(steps, curve, strict=True) if value >= level), None)


def values(config: DeadRevivalConfig, record: Record) -> dict[str, float]:
    """Per start, over seeds with 95 % intervals: ends, the widest the live ones became, and steps to be alive.

    ``dead_revival.start.alive`` is the share of seeds whose dead rows reached std ALIVE, and ``.healthy`` of those that
    reached HEALTHY of full rank; ``.alive_step`` and ``.healthy_step`` are given where all did.
    """
    told: dict[str, float] = {}
    for name, readings in record.readings.items():
        rank = readings["effective_rank"]
        numbers = {
            "rank_before": [curve[0] for curve in rank],
            "rank": [curve[-1] for curve in rank],
            "dead_std": [curve[-1] for curve in readings["dead_std"]],
            "widest": [max(curve) for curve in readings["live_std"]],
        }
        for event, curves, level in (
            ("alive", readings["dead_std"], ALIVE),
            ("healthy", rank, HEALTHY * config.dim),
        ):
            found = [first_step(record.steps, curve, level) for curve in curves]
            reached = [float(step) for step in found if step is not None]
            told[f"dead_revival.{name}.{event}"] = len(reached) / len(found)
            if len(reached) == len(found):
                numbers[f"{event}_step"] = reached
        for reading, each in numbers.items():
            told |= over_seeds(f"dead_revival.{name}.{reading}", each)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = DeadRevivalConfig()
    record = run(config, progress=report)
    kept = values(config, record)
    path = keep_result("dead_revival", config=config, values=kept, details=asdict(record), seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
