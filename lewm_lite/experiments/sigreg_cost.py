"""C23: how the time of SIGReg, value and gradient, grows with the batch, beside a test that compares all pairs.

``python -m lewm_lite.experiments.sigreg_cost`` measures and keeps the result; a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.experiments.results import keep_result
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded


@dataclass(frozen=True)
class SIGRegCostConfig:
    """What is timed."""

    batches: tuple[int, ...] = (512, 1024, 2048, 4096)  # samples
    dim: int = 64
    num_directions: int = 256
    threads: int = 1  # more would measure who else is at work on the machine
    repeats: int = 15  # timed calls of each, interleaved
    seed: int = 0


def all_pairs(embeddings: Tensor) -> Tensor:
    r"""A direct multivariate test against N(0, I), which compares every pair of samples.

    $\frac1{N^2}\sum_{jk}e^{-|z_j-z_k|^2/2} - 2\cdot2^{-D/2}\frac1N\sum_j e^{-|z_j|^2/4} + 3^{-D/2}$

    Args:
        embeddings: ``(samples, dim)``. Returns: a scalar, >= 0.
    Source:
        Baringhaus & Henze 1988, at smoothing parameter 1 and without standardising the sample first.
    """
    dim = embeddings.shape[1]
    pairs = torch.exp(-torch.cdist(embeddings, embeddings).square() / 2).mean()
    singles = torch.exp(-embeddings.square().sum(1) / 4).mean()
    return pairs - 2 * 2 ** (-dim / 2) * singles + 3 ** (-dim / 2)


def run(config: SIGRegCostConfig) -> dict[str, list[float]]:
    """Milliseconds for value and gradient, per test and batch: the fastest run of each, the two interleaved."""
    generator = seeded(config.seed)
    directions = random_directions(config.dim, config.num_directions, generator=generator)
    scores: dict[str, Callable[[Tensor], Tensor]] = {
        "sigreg": lambda embeddings: sigreg(embeddings, directions),
        "all_pairs": all_pairs,
    }
    fastest: dict[str, list[float]] = {name: [] for name in scores}
    for num_samples in config.batches:
        embeddings = torch.randn(num_samples, config.dim, generator=generator)
        times: dict[str, list[float]] = {name: [] for name in scores}
        for _ in range(config.repeats):
            for name, score in scores.items():
                started = time.perf_counter()
                torch.func.grad(score)(embeddings)
                times[name].append(1000 * (time.perf_counter() - started))
        for name, measured in times.items():
            fastest[name].append(min(measured))  # what else the machine does can only add
    return fastest


def values(config: SIGRegCostConfig, milliseconds: dict[str, list[float]]) -> dict[str, float]:
    """What the sentences quote: by how much each test's time grew from the smallest batch to the largest."""
    growth = {name: round(measured[-1] / measured[0], 1) for name, measured in milliseconds.items()}
    return {"sigreg_cost.growth": growth["sigreg"], "sigreg_cost.growth_of_pairs": growth["all_pairs"]}


def main() -> None:
    """Measure, keep the result, and say what it is."""
    config = SIGRegCostConfig()
    torch.set_num_threads(config.threads)
    milliseconds = run(config)
    details = {"milliseconds": milliseconds}
    kept = values(config, milliseconds)
    path = keep_result("sigreg_cost", config=config, values=kept, details=details, seed=config.seed)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
