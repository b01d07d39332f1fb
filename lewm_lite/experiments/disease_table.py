r"""C11, C15, C25: which disease of a cloud does which judge tell from health, with how many samples and directions?

Power at 5 % false alarms: the share of ill clouds that score more than 95 in 100 ideal clouds of the same size, judged
along directions that are drawn anew each time. Beside SIGReg stand VICReg's variance hinge and covariance penalty.

``python -m lewm_lite.experiments.disease_table`` fills the table; about four minutes on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.objectives.sigreg import epps_pulley, random_directions
from lewm_lite.objectives.vicreg import covariance_penalty, variance_hinge
from lewm_lite.seeding import seeded


def dead(noise: Tensor, basis: Tensor, *, count: int) -> Tensor:
    """A standard Gaussian without ``count`` of its directions, turned so that no single feature is dead."""
    own = noise[:, :-1]
    return own[:, count:] @ basis[count:]


def few_live(noise: Tensor, basis: Tensor, *, count: int) -> Tensor:
    """A Gaussian of ``count`` directions with the total variance of a whole one, turned likewise."""
    own = noise[:, :-1]
    return math.sqrt(own.shape[1] / count) * own[:, :count] @ basis[:count]


def corners(noise: Tensor) -> Tensor:
    """Every feature in two clumps, independent of the others: the corners of a cube, of identity covariance."""
    own = noise[:, :-1]
    return math.sqrt(0.96) * torch.where(own < 0, -1.0, 1.0) + 0.2 * torch.roll(own, 1, dims=0)


# What each row is called -> noise (samples, dim + 1) and an orthonormal basis (dim, dim) -> a cloud.
DISEASES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "collapsed to a point": lambda noise, basis: clouds.point(noise),
    "line": lambda noise, basis: clouds.line(noise),
    "two clumps": lambda noise, basis: clouds.clumps(noise),
    "half of it dead": lambda noise, basis: dead(noise, basis, count=len(basis) // 2),
    "heavy tails": lambda noise, basis: clouds.heavy_tailed(noise),
    "8 live, full variance": lambda noise, basis: few_live(noise, basis, count=8),
    "10 dead": lambda noise, basis: dead(noise, basis, count=10),
    "cube's corners": lambda noise, basis: corners(noise),
    "two white clumps": lambda noise, basis: clouds.white_clumps(noise),
    "healthy": lambda noise, basis: clouds.isotropic(noise),
}


@dataclass(frozen=True)
class DiseaseTableConfig:
    """Sizes of the clouds and of the judge, and how often each is tried."""

    dim: int = 64
    samples: tuple[int, ...] = (64, 256, 1024)
    num_directions: tuple[int, ...] = (16, 64, 256)
    repeats: int = 400
    false_alarms: float = 0.05
    white_dims: tuple[int, ...] = (2, 3, 4, 6, 8, 12, 16, 32, 64)  # where white clumps are tried, at most samples
    seed: int = 4


Scores = dict[str, dict[str, Tensor]]  # cloud -> judge, e.g. "SIGReg 64 at 256" -> (repeats,)


def judged(cloud: Tensor, directions: Tensor, config: DiseaseTableConfig) -> dict[str, Tensor]:
    """Every judge's score of the first 64, 256, … points: the more points include the fewer, and so do directions."""
    scores: dict[str, Tensor] = {}
    for samples in config.samples:
        part = cloud[:samples]
        scores[f"variance at {samples}"] = variance_hinge(part)
        scores[f"covariance at {samples}"] = covariance_penalty(part)
        statistics = epps_pulley(part @ directions)
        for count in config.num_directions:
            scores[f"SIGReg {count} at {samples}"] = statistics[:count].mean()
    return scores


def run(config: DiseaseTableConfig, *, progress=lambda _: None) -> dict[str, dict[str, float]]:
    """Power of each judge against each disease: ``power[disease][judge]``."""
    generator = seeded(config.seed)
    seen: dict[str, list[dict[str, Tensor]]] = {name: [] for name in ("ideal", *DISEASES)}
    for repeat in range(config.repeats):
        noise, ideal = (clouds.cloud_noise(max(config.samples), config.dim, generator=generator) for _ in range(2))
        basis = torch.linalg.qr(torch.randn(config.dim, config.dim, generator=generator)).Q
        directions = random_directions(config.dim, max(config.num_directions), generator=generator)
        seen["ideal"].append(judged(clouds.isotropic(ideal), directions, config))
        for name, disease in DISEASES.items():
            seen[name].append(judged(disease(noise, basis), directions, config))
        if repeat % 20 == 19:
            progress(f"repeat {repeat + 1}")
    return {name: powers(seen[name], seen["ideal"], config.false_alarms) for name in DISEASES}


def powers(ill: list[dict[str, Tensor]], ideal: list[dict[str, Tensor]], false_alarms: float) -> dict[str, float]:
    """Per judge, the share of ill clouds that score more than the ideal ones' quantile."""
    told = {}
    for judge in ideal[0]:
        level = torch.stack([scores[judge] for scores in ideal]).double().quantile(1 - false_alarms)
        told[judge] = (torch.stack([scores[judge] for scores in ill]) > level).double().mean().item()
    return told


def white_clumps_by_dim(config: DiseaseTableConfig) -> dict[int, float]:
    """Power of SIGReg against white clumps in each of ``white_dims``, at most samples and directions."""
    samples, count = max(config.samples), max(config.num_directions)
    told = {}
    for dim in config.white_dims:
        generator = seeded(config.seed + dim)
        scores = []
        for _ in range(config.repeats):
            noise, ideal = (clouds.cloud_noise(samples, dim, generator=generator) for _ in range(2))
            directions = random_directions(dim, count, generator=generator)
            both = torch.stack([clouds.white_clumps(noise), clouds.isotropic(ideal)])
            scores.append(epps_pulley(both @ directions).mean(-1))
        ill, healthy = torch.stack(scores, dim=1).double()
        told[dim] = (ill > healthy.quantile(1 - config.false_alarms)).double().mean().item()
    return told


def values(power: Mapping[str, Mapping[str, float]], by_dim: Mapping[int, float]) -> dict[str, float]:
    """``disease_table.disease.judge`` for every entry, and ``disease_table.white_clumps_in.dim``."""
    told = {
        f"disease_table.{_slug(disease)}.{_slug(judge)}": brief(share)
        for disease, judges in power.items()
        for judge, share in judges.items()
    }
    return told | {f"disease_table.white_clumps_in.{dim}": brief(share) for dim, share in by_dim.items()}


def _slug(words: str) -> str:
    return words.lower().replace("'", "").replace(",", "").replace(" ", "_")


def main() -> None:
    """Fill the table, keep it, and say what it is."""
    torch.set_num_threads(1)
    config = DiseaseTableConfig()
    power = run(config, progress=report)
    by_dim = white_clumps_by_dim(config)
    kept = values(power, by_dim)
    details = {"power": power, "white_clumps_by_dim": by_dim}
    path = keep_result("disease_table", config=config, values=kept, details=details, seed=config.seed)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
