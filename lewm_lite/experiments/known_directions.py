r"""P07, P08: a bare cloud under SIGReg along K fixed directions, and what it looks like along those it never saw.

The points move by gradient descent on SIGReg alone; there is no encoder and no batch noise, so that what is left is
what K directions cannot see. Two starts: ``rough``, two tight clumps, and ``smooth``, a Gaussian with every other axis
nearly dead. Values are ``known_directions.<start>.d<dim>.<fixed|fresh>.k<K>.<known|unknown>``: SIGReg at the end, mean
and 95 % interval over seeds; an ideal cloud scores 1.05.

``python -m lewm_lite.experiments.known_directions``: three minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.embeddings.clouds import SHAPES, cloud_noise
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded

Seen = dict[str, dict[str, list[float]]]  # "rough.d16.fixed.k4" -> "known" or "unknown" -> one number per seed


@dataclass(frozen=True)
class KnownDirectionsConfig:
    """Clouds, directions and steps."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    num_samples: int = 256
    dims: tuple[int, ...] = (4, 16, 64)
    fixed: tuple[int, ...] = (1, 4, 16, 64, 256)
    fresh: tuple[int, ...] = (16,)
    steps: int = 150
    rate: float = 0.3  # of one direction's slope, in one step
    unknown: int = 512  # directions that no step uses


def started(start: str, config: KnownDirectionsConfig, dim: int, generator: torch.Generator) -> Tensor:
    """The cloud ``rough`` or ``smooth``, ``(num_samples, dim)``."""
    noise = cloud_noise(config.num_samples, dim, generator=generator)
    if start == "rough":
        return SHAPES["clumps"](noise)
    alive = (torch.arange(dim) % 2 == 0).float()
    return noise[:, :-1] * (0.1 + 0.9 * alive)


def flowed(
    start: str, config: KnownDirectionsConfig, *, dim: int, count: int, fixed: bool, seed: int
) -> tuple[float, float]:
    """SIGReg of the cloud after all steps: along its last directions, and along unknown ones."""
    generator = seeded(1000 * dim + seed)
    points = started(start, config, dim, generator)
    slope = torch.func.grad(sigreg)
    directions = random_directions(dim, count, generator=generator)
    for _ in range(config.steps):
        if not fixed:
            directions = random_directions(dim, count, generator=generator)
        points = points - config.rate * min(count, dim) * slope(points, directions)
    unknown = random_directions(dim, config.unknown, generator=seeded(17))
    return sigreg(points, directions).item(), sigreg(points, unknown).item()


def run(config: KnownDirectionsConfig, *, progress: Callable[[str], None] = lambda _: None) -> Seen:
    """All starts, dimensions and counts."""
    seen: Seen = {}
    for start in ("rough", "smooth"):
        for dim in config.dims:
            for fixed, count in [*((True, k) for k in config.fixed), *((False, k) for k in config.fresh)]:
                name = f"{start}.d{dim}.{'fixed' if fixed else 'fresh'}.k{count}"
                ends = [flowed(start, config, dim=dim, count=count, fixed=fixed, seed=seed) for seed in config.seeds]
                known, unknown = zip(*ends, strict=True)
                seen[name] = {"known": list(known), "unknown": list(unknown)}
                progress(f"{name}: {seen[name]}")
    return seen


def values(seen: Seen) -> dict[str, float]:
    """Every end of every run, as sentences quote them."""
    told: dict[str, float] = {}
    for name, ends in seen.items():
        for kind, numbers in ends.items():
            told |= over_seeds(f"known_directions.{name}.{kind}", numbers)
    return told


def main() -> None:
    """Let all clouds flow, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = KnownDirectionsConfig()
    seen = run(config, progress=report)
    path = keep_result("known_directions", config=config, values=values(seen), details={"seen": seen}, seed=0)
    print(path.name)


if __name__ == "__main__":
    main()
