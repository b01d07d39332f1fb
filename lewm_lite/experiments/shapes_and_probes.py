"""C03, P01, P03: which shape of cloud serves a probe that must be good at tasks nobody has named yet.

``python -m lewm_lite.experiments.shapes_and_probes`` measures and keeps the result; about three minutes on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.judging.neighbours import Kernel, ball, bell_kernel, neighbour_probe, squared_bias
from lewm_lite.judging.probing import linear_probe
from lewm_lite.objectives.rivals import RIVALS, rival_sample
from lewm_lite.seeding import seeded

Task = Callable[[Tensor], Tensor]  # (samples, dim) -> (samples, targets)


@dataclass(frozen=True)
class ShapesAndProbesConfig:
    """Clouds, tasks and probes."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    shapes: tuple[str, ...] = tuple(RIVALS)
    radii: tuple[tuple[int, tuple[float, ...]], ...] = (  # per dimension, those of the radius probe
        (2, (0.2, 0.4, 0.8, 1.6)),
        (4, (0.8, 1.2, 1.6, 2.4)),
    )
    widths: tuple[tuple[int, tuple[float, ...]], ...] = ((2, (0.1, 0.2, 0.4, 0.8)),)  # the same of the kernel probe
    num_samples: int = 20000  # embeddings that these probes average over
    asked: int = 1000  # embeddings at which they are asked
    tasks: int = 40
    waves: int = 64  # cosines that make up one task
    length: float = 1.5  # over which a task changes, in standard deviations of the cloud
    state_dim: int = 8  # of the hidden state, where a cloud may keep some directions and drop the others
    kept: int = 2  # directions that the low-rank cloud keeps
    labelled: int = 200  # embeddings with a label, in that comparison
    label_noise: float = 0.5  # standard deviation, of a target that has 1


def smooth_tasks(dim: int, *, count: int, waves: int, length: float, generator: torch.Generator) -> Task:
    r"""``count`` random smooth functions of mean 0 and variance 1: $\sqrt{2/M}\,\sum_m\cos(w_m\cdot z + b_m)$.

    The frequencies $w_m$ are normal with standard deviation ``1 / length`` in each direction, so that no direction is
    preferred and a function forgets itself over about that length.
    """
    frequencies = torch.randn(dim, count * waves, generator=generator) / length
    phases = 2 * math.pi * torch.rand(count * waves, generator=generator)

    def task(embeddings: Tensor) -> Tensor:
        cosines = torch.cos(embeddings @ frequencies + phases).unflatten(1, (count, waves))
        return math.sqrt(2 / waves) * cosines.sum(2)

    return task


def biases(
    config: ShapesAndProbesConfig, dim: int, sizes: Sequence[float], *, seed: int, kernel: Kernel = ball
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Integrated squared bias of a probe per shape and size of its kernel, and the median number of its neighbours."""
    generator = seeded(seed)
    task = smooth_tasks(dim, count=config.tasks, waves=config.waves, length=config.length, generator=generator)
    found: dict[str, list[float]] = {}
    crowd: dict[str, list[float]] = {}
    for shape in config.shapes:
        train, test = (
            rival_sample(count, dim, target=shape, generator=generator) for count in (config.num_samples, config.asked)
        )
        pairs = (train, task(train)), (test, task(test))
        judged = [squared_bias(*pairs, radius=size, kernel=kernel) for size in sizes]
        found[shape] = [bias.mean().item() for bias, _ in judged]
        crowd[shape] = [count.median().item() for _, count in judged]
    return found, crowd


def known_and_unknown(config: ShapesAndProbesConfig, *, seed: int) -> dict[str, float]:
    """R² of two probes, on clouds that keep all directions of a state or a few, for a known task and unknown ones.

    All clouds have the same total variance. The known task depends on just the directions that the low-rank cloud
    keeps; an unknown task depends on as many directions, drawn at random.
    """
    generator = seeded(1000 + seed)
    dim, kept, labelled = config.state_dim, config.kept, config.labelled
    state = torch.randn(labelled + config.asked, dim, generator=generator)
    noise = config.label_noise * torch.randn(labelled, config.tasks, generator=generator)
    drawn = torch.randn(config.tasks, dim, kept, generator=generator)
    planes = {"known": torch.eye(dim)[:, :kept].expand(config.tasks, -1, -1), "unknown": torch.linalg.qr(drawn).Q}
    clouds = {"round": state, "low_rank": math.sqrt(dim / kept) * state[:, :kept]}
    bent = smooth_tasks(
        kept, count=config.tasks, waves=config.waves, length=config.length, generator=generator
    )  # one function of a plane per task; each task sees its own plane
    found: dict[str, float] = {}
    for task, plane in planes.items():
        seen = torch.einsum("sd,tdk->tsk", state, plane)
        targets = {
            "linear": seen.sum(2).mT / math.sqrt(kept),
            "neighbours": torch.stack([bent(seen[place])[:, place] for place in range(config.tasks)], 1),
        }
        for cloud, embeddings in clouds.items():
            for probe, truth in targets.items():
                train = (embeddings[:labelled], truth[:labelled] + noise)
                judge = linear_probe if probe == "linear" else neighbour_probe
                found[f"{task}.{cloud}.{probe}"] = judge(train, (embeddings[labelled:], truth[labelled:])).r2
    return found


Curves = dict[str, dict[str, list[list[float]]]]  # dim -> shape -> [size][seed]


def run(config: ShapesAndProbesConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, object]:
    """All of it on every seed: ``bias[dim][shape][radius][seed]``, ``neighbours`` likewise, ``kernel_bias`` likewise
    over widths, and ``probes[name][seed]``.
    """
    bias, crowd = _over_seeds(config, config.radii, ball, progress)
    kernel_bias, _ = _over_seeds(config, config.widths, bell_kernel, progress)
    probes = [known_and_unknown(config, seed=seed) for seed in config.seeds]
    named = {name: [one[name] for one in probes] for name in probes[0]}
    return {"bias": bias, "neighbours": crowd, "kernel_bias": kernel_bias, "probes": named}


def _over_seeds(
    config: ShapesAndProbesConfig,
    sizes: tuple[tuple[int, tuple[float, ...]], ...],
    kernel: Kernel,
    progress: Callable[[str], None],
) -> tuple[Curves, Curves]:
    """What :func:`biases` finds on every seed: the bias, and the number of neighbours."""
    told: tuple[Curves, Curves] = ({}, {})
    for dim, of_dim in sizes:
        measured = []
        for seed in config.seeds:
            measured.append(biases(config, dim, of_dim, seed=seed, kernel=kernel))
            progress(f"{kernel.__name__}, {dim} dimensions, seed {seed}")
        for place, kept in enumerate(told):
            kept[str(dim)] = {
                shape: [[one[place][shape][k] for one in measured] for k in range(len(of_dim))]
                for shape in config.shapes
            }
    return told


def values(config: ShapesAndProbesConfig, result: dict[str, object]) -> dict[str, float]:
    """What sentences quote: each shape's bias over the Gaussian's, how crowded a Gaussian's ball is, the probes' R².

    ``.r02`` is a ball of radius 0.2, ``.h02`` a bell of width 0.2.
    """
    told: dict[str, float] = {}
    for dim, radii in config.radii:
        for radius, crowd in zip(radii, result["neighbours"][str(dim)]["gaussian"], strict=True):
            told |= over_seeds(f"shapes_and_probes.d{dim}.neighbours.r{10 * radius:02.0f}", crowd)
    for letter, measured, sizes in (("r", "bias", config.radii), ("h", "kernel_bias", config.widths)):
        for dim, of_dim in sizes:
            bias = result[measured][str(dim)]
            for shape in (shape for shape in config.shapes if shape != "gaussian"):
                for size, own, usual in zip(of_dim, bias[shape], bias["gaussian"], strict=True):
                    ratios = [a / b for a, b in zip(own, usual, strict=True)]
                    told |= over_seeds(f"shapes_and_probes.d{dim}.{shape}.{letter}{10 * size:02.0f}", ratios)
    for name, numbers in result["probes"].items():
        told |= over_seeds(f"shapes_and_probes.{name}", numbers)
    return told


def main() -> None:
    """Measure, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = ShapesAndProbesConfig()
    result = run(config, progress=report)
    kept = values(config, result)
    path = keep_result("shapes_and_probes", config=config, values=kept, details=result, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
