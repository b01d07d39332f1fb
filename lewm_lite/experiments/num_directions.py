r"""C20: what the number of directions K changes: the score's noise, the gradient's, the outcome of training.

Directions are drawn anew at every step; fixed ones are another experiment's. All models of a dimension see the same
batches, and the first K of the same directions.

``python -m lewm_lite.experiments.num_directions`` trains and keeps the result; about five minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.model.joint_embedding import JointEmbeddingConfig
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import OBJECTIVES


@dataclass(frozen=True)
class NumDirectionsConfig:
    """What is tried."""

    counts: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)  # K
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    dim: int = 16  # of the embeddings that are trained
    wide_dim: int = 128  # likewise, with fewer K
    wide_counts: tuple[int, ...] = (1, 16, 256)
    steps: int = 500
    every: int = 125  # steps between two judgements
    cloud_dims: tuple[int, ...] = (2, 16, 256)  # of the clouds whose score and gradient are looked at
    samples: int = 256  # of such a cloud
    many: int = 16384  # directions that stand for all
    draws: int = 64  # sets of K directions, each as in a step of its own


def along(embeddings: Tensor, directions: Tensor, *, count: int) -> Tensor:
    """SIGReg along the first ``count`` of the directions."""
    return sigreg(embeddings, directions[:, :count])


def noise(config: NumDirectionsConfig, dim: int, count: int) -> dict[str, float]:
    """Of two clumps in ``dim`` dimensions: how far score and gradient stray from those of all directions.

    Returns:
        ``loss``: the score's standard deviation over draws, over its mean. ``step``: the root mean square distance of
        one step's gradient from that of all directions, over the latter's length. ``accumulated``: the same for the
        mean gradient of all the draws, the cloud being kept where it is.
    """
    generator = seeded(dim)
    embeddings = clouds.clumps(clouds.cloud_noise(config.samples, dim, generator=generator))
    whole = torch.func.grad(sigreg)(embeddings, random_directions(dim, config.many, generator=generator))
    drawn = [random_directions(dim, count, generator=generator) for _ in range(config.draws)]
    both = [torch.func.grad_and_value(sigreg)(embeddings, directions) for directions in drawn]
    gradients, scores = (torch.stack(part) for part in zip(*both, strict=True))
    away = (gradients - whole).flatten(1).norm(dim=1).square().mean().sqrt()
    return {
        "loss": (scores.std() / scores.mean()).item(),
        "step": (away / whole.norm()).item(),
        "accumulated": ((gradients.mean(0) - whole).norm() / whole.norm()).item(),
    }


def trained(config: NumDirectionsConfig, dim: int, count: int) -> Record:
    """Models of every seed under SIGReg along ``count`` fresh directions a step."""
    lockstep = LockstepConfig(
        seeds=config.seeds,
        num_directions=max(config.counts),
        network=JointEmbeddingConfig(dim=dim),
        every=config.every,
    )
    phases = [Phase(config.steps, {"sigreg": OBJECTIVES["sigreg"]})]
    return train(lockstep, phases, score=partial(along, count=count))


def run(config: NumDirectionsConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, dict]:
    """``noise[dim][K]``, and ``records[dim][K]``."""
    found: dict[str, dict] = {
        "noise": {dim: {count: noise(config, dim, count) for count in config.counts} for dim in config.cloud_dims},
        "records": {config.dim: {}, config.wide_dim: {}},
    }
    progress("noise")
    for dim, counts in ((config.dim, config.counts), (config.wide_dim, config.wide_counts)):
        for count in counts:
            found["records"][dim][count] = trained(config, dim, count)
            progress(f"{dim} dimensions, K = {count}")
    return found


def values(found: dict[str, dict]) -> dict[str, float]:
    """Outcomes with their intervals over seeds, and noises."""
    told: dict[str, float] = {}
    for dim, records in found["records"].items():
        for count, record in records.items():
            name = f"num_directions.dim{dim}.k{count}"
            told |= record.told(name, "sigreg", ("probe_r2", "effective_rank", "std", "sigreg"))
    for dim, by_count in found["noise"].items():
        for count, kinds in by_count.items():
            told |= {f"num_directions.cloud{dim}.k{count}.{kind}": brief(share) for kind, share in kinds.items()}
    return told


def probes(told: Mapping[str, float], pattern: str, counts: Sequence[int]) -> dict[int, tuple[float, float, float]]:
    """K -> mean, low and high end of a probe's R², from values whose names are ``pattern`` with K in its place."""
    names = {count: pattern.format(count) + ".probe_r2" for count in counts}
    return {count: (told[name], told[f"{name}_low"], told[f"{name}_high"]) for count, name in names.items()}


def main() -> None:
    """Measure and train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = NumDirectionsConfig()
    found = run(config, progress=report)
    kept = values(found)
    readings = {
        str(dim): {str(count): record.readings["sigreg"] for count, record in records.items()}
        for dim, records in found["records"].items()
    }
    steps = found["records"][config.dim][config.counts[0]].steps
    details = {"noise": found["noise"], "steps": steps, "readings": readings}
    path = keep_result("num_directions", config=config, values=kept, details=details, seed=config.seeds[0])
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
