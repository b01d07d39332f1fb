r"""C16: what a direct test of a D-dimensional Gaussian, and one-dimensional tests of shadows, cost and see as D grows.

Judges: ``henze_zirkler`` (any Gaussian, compares all pairs of the whitened cloud), ``all_pairs`` (the same for N(0, I),
at smoothing 1), and the mean evidence along 64 fresh directions of ``kolmogorov_smirnov``, ``shapiro_wilk`` and
``epps_pulley``, which last is SIGReg. A cloud is seen when it scores more than 95 in 100 healthy ones, in float64; cost
and gradient are those of float32, in which networks train.

Clouds: ``healthy``; ``narrow``, 0.9 of a healthy one; ``half_dead``, half of the dimensions at a standard deviation of
0.02, so that the covariance keeps its full rank; ``heavy_tailed``; ``clumps``, two tight balls, at any D; ``needle``,
one coordinate in two clumps and all others healthy; ``cube``, every coordinate uniform.

Values: ``many_dimensions.n128.d16.clumps.henze_zirkler``: the share of clouds seen, with ``_low`` and ``_high``.
``many_dimensions.n512.d16.henze_zirkler.ms``: milliseconds of one processor for value and gradient, the fastest of
some interleaved runs; ``.mb``: the most megabytes of tensors alive at one moment beside the cloud, the same on any
machine; ``.gradient``: the length of the gradient per sample at a healthy cloud, over the evidence's standard deviation
from one healthy cloud to another: at 0, there is nothing to follow. Where N <= D, Henze-Zirkler's covariance is
singular and it says 4 N of every cloud.

``python -m lewm_lite.experiments.many_dimensions`` measures and keeps the result; about eight minutes on one core.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.experiments.dead_power import wilson
from lewm_lite.experiments.live_bytes import LiveBytes
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.henze_zirkler import all_pairs, henze_zirkler
from lewm_lite.objectives.normality import NORMALITY_TESTS
from lewm_lite.seeding import seeded

Judge = Callable[[Tensor, Tensor], Tensor]  # (samples, dim), (dim, num_directions) -> scalar


def cube(noise: Tensor) -> Tensor:
    """Every coordinate uniform, of variance 1."""
    return math.sqrt(3) * torch.erf(clouds.isotropic(noise) / math.sqrt(2))


def half_dead(noise: Tensor) -> Tensor:
    """The second half of the dimensions at a standard deviation of 0.02."""
    own = clouds.isotropic(noise)
    return own * torch.where(torch.arange(own.shape[-1]) < own.shape[-1] // 2, 1.0, 0.02)


CLOUDS: dict[str, Callable[[Tensor], Tensor]] = {
    "healthy": clouds.isotropic,
    "narrow": lambda noise: 0.9 * clouds.isotropic(noise),
    "half_dead": half_dead,
    "heavy_tailed": clouds.heavy_tailed,
    "clumps": clouds.clumps,
    "needle": clouds.white_clumps,
    "cube": cube,
}
SLICED = ("kolmogorov_smirnov", "shapiro_wilk", "epps_pulley")


def sliced(test: str) -> Judge:
    """The mean evidence of a one-dimensional test over all directions given."""
    return lambda embeddings, directions: NORMALITY_TESTS[test].evidence(embeddings @ directions).mean()


JUDGES: Mapping[str, Judge] = {
    "henze_zirkler": lambda embeddings, _: henze_zirkler(embeddings),
    "all_pairs": lambda embeddings, _: all_pairs(embeddings),
    **{name: sliced(name) for name in SLICED},
}


@dataclass(frozen=True)
class ManyDimensionsConfig:
    """Sizes and dimensions, and how often each cloud is drawn."""

    dims: tuple[int, ...] = (2, 16, 64, 256)
    sizes: tuple[int, ...] = (128, 512)
    num_directions: int = 64
    repeats: int = 80
    healthy_repeats: int = 240  # on which each line stands
    false_alarms: float = 0.05
    timed: int = 7  # interleaved runs of each judge
    seed: int = 0


@dataclass(frozen=True)
class Seen:
    """One size and dimension: how many clouds each judge saw, and what it costs."""

    seen: dict[str, dict[str, int]]  # cloud -> judge -> clouds
    ms: dict[str, float]
    mb: dict[str, float]
    gradient: dict[str, float]


def run(
    config: ManyDimensionsConfig, *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, Seen]]:
    """``told[size][dimension]``."""
    told: dict[str, dict[str, Seen]] = {}
    for size in config.sizes:
        row = told[f"n{size}"] = {}
        for dim in config.dims:
            row[f"d{dim}"] = look(config, size, dim)
            progress(f"n{size} d{dim}")
    return told


def look(config: ManyDimensionsConfig, size: int, dim: int) -> Seen:
    """Power and cost of all judges at one size and dimension."""
    generator = seeded(config.seed)

    def scores(made: Callable[[Tensor], Tensor], repeats: int) -> dict[str, Tensor]:
        found: dict[str, list[Tensor]] = {name: [] for name in JUDGES}
        for _ in range(repeats):
            cloud = made(clouds.cloud_noise(size, dim, generator=generator)).double()
            directions = random_directions(dim, config.num_directions, generator=generator).double()
            for name, judge in JUDGES.items():
                found[name].append(judge(cloud, directions))
        return {name: torch.stack(judged) for name, judged in found.items()}

    null = scores(CLOUDS["healthy"], config.healthy_repeats)
    seen = {}
    for name, made in CLOUDS.items():
        judged = scores(made, config.repeats)
        levels = {judge: null[judge].quantile(1 - config.false_alarms) for judge in JUDGES}
        seen[name] = {judge: int((judged[judge] > levels[judge]).sum()) for judge in JUDGES}
    cloud = clouds.isotropic(clouds.cloud_noise(size, dim, generator=generator))
    directions = random_directions(dim, config.num_directions, generator=generator)
    ms, mb, slopes = costs(cloud, directions, config.timed)
    spread = {name: null[name].std().item() for name in JUDGES}
    gradient = {name: slope / spread[name] if spread[name] > 0 else 0.0 for name, slope in slopes.items()}
    return Seen(seen, ms, mb, gradient)


def costs(cloud: Tensor, directions: Tensor, timed: int) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Milliseconds, megabytes, and root mean square length of the gradient per sample, of each judge; in float32."""
    times: dict[str, list[float]] = {name: [] for name in JUDGES}
    megabytes, slopes = {}, {}
    for _ in range(timed):
        for name, judge in JUDGES.items():
            started = time.process_time()
            torch.func.grad_and_value(judge)(cloud, directions)
            times[name].append(1000 * (time.process_time() - started))
    for name, judge in JUDGES.items():
        leaf = cloud.clone().requires_grad_()
        with LiveBytes([leaf, directions]) as live:
            start = live.now
            judge(leaf, directions).backward()
        megabytes[name] = (live.peak - start) / 1e6
        slopes[name] = leaf.grad.norm().item() / math.sqrt(len(cloud))
    return {name: min(measured) for name, measured in times.items()}, megabytes, slopes


def values(config: ManyDimensionsConfig, told: Mapping[str, Mapping[str, Seen]]) -> dict[str, float]:
    """Shares seen with the ends of their intervals, milliseconds, megabytes and gradients."""
    kept: dict[str, float] = {}
    for size, row in told.items():
        for dim, found in row.items():
            name = f"many_dimensions.{size}.{dim}"
            for cloud, judges in found.seen.items():
                for judge, seen in judges.items():
                    low, high = wilson(seen, config.repeats)
                    ends = (("", seen / config.repeats), ("_low", low), ("_high", high))
                    kept |= {f"{name}.{cloud}.{judge}{ending}": brief(value) for ending, value in ends}
            for what, measured in (("ms", found.ms), ("mb", found.mb), ("gradient", found.gradient)):
                kept |= {f"{name}.{judge}.{what}": brief(value) for judge, value in measured.items()}
    return kept


def main() -> None:
    """Measure, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = ManyDimensionsConfig()
    told = run(config, progress=report)
    kept = values(config, told)
    details = {size: {dim: asdict(found) for dim, found in row.items()} for size, row in told.items()}
    path = keep_result("many_dimensions", config=config, values=kept, details=details, seed=config.seed)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
