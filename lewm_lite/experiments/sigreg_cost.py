"""C23: what SIGReg costs, value and gradient: as the batch grows, beside its rivals, and as a share of a training step.

``python -m lewm_lite.experiments.sigreg_cost`` measures and keeps the result; about a minute on one core.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lewm_lite.experiments.live_bytes import SavedBytes, module_tensors
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.experiments.sigreg_bench import peak_bytes, timed
from lewm_lite.experiments.teacher_memory import FrameEncoder, TeacherMemoryConfig
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding
from lewm_lite.objectives.henze_zirkler import all_pairs
from lewm_lite.objectives.sigreg import Score, random_directions, sigreg
from lewm_lite.objectives.teacher import EMATeacher
from lewm_lite.objectives.vicreg import covariance_penalty, variance_hinge
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import OBJECTIVES, Training, side_by_side, training_step
from lewm_lite.training.step import AdamWConfig

# The paper's encoder, without its heads: a tiny vision transformer on frames of 224 pixels.
PAPERS_ENCODER = TeacherMemoryConfig(frame_size=224, patch_size=14, width=192, depth=12, heads=3, dim=192)


@dataclass(frozen=True)
class SIGRegCostConfig:
    """What is timed."""

    batches: tuple[int, ...] = (512, 1024, 2048, 4096)  # samples
    dim: int = 64
    num_directions: int = 256
    shape: tuple[int, int, int] = (4, 128, 192)  # the paper's: frames of a clip, clips, dimensions
    counts: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)  # directions that SIGReg is held beside its rivals with
    encoder: TeacherMemoryConfig = PAPERS_ENCODER
    clips: int = 1  # that the encoder is timed on; a batch takes as many times longer as it holds clips
    small_batch: int = 128  # of the early chapters' model
    small_counts: tuple[int, ...] = (64, 1024)  # directions that it is trained with
    threads: int = 1  # more would measure who else is at work on the machine
    repeats: int = 15  # timed calls of each, interleaved
    seed: int = 0


def growing(config: SIGRegCostConfig) -> dict[str, list[float]]:
    """Milliseconds for value and gradient, per test and batch: medians, the two interleaved."""
    generator = seeded(config.seed)
    directions = random_directions(config.dim, config.num_directions, generator=generator)
    scores: dict[str, Callable[[Tensor], Tensor]] = {
        "sigreg": lambda embeddings: sigreg(embeddings, directions),
        "all_pairs": all_pairs,
    }
    taken: dict[str, list[float]] = {name: [] for name in scores}
    for num_samples in config.batches:
        embeddings = torch.randn(num_samples, config.dim, generator=generator)
        calls = {name: partial(value_and_gradient, score, embeddings) for name, score in scores.items()}
        for name, seconds in timed(calls, warm_up=2, repeats=config.repeats).items():
            taken[name].append(1000 * statistics.median(seconds))
    return taken


def value_and_gradient(score: Callable[[Tensor], Tensor], embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """What a training step asks of a score."""
    embeddings = embeddings.detach().requires_grad_()
    value = score(embeddings)
    return value.detach(), torch.autograd.grad(value, embeddings)[0]


def beside(config: SIGRegCostConfig) -> dict[str, dict[str, float]]:
    """At the paper's shape, by name: ``milliseconds`` (medians) and ``megabytes`` taken at the peak.

    SIGReg, VICReg's variance and covariance, and all pairs: value and gradient. A teacher: one update of its weights.
    """
    generator = seeded(config.seed)
    embeddings = torch.randn(config.shape, generator=generator)
    student = FrameEncoder(config.encoder)
    teacher = EMATeacher(student, momentum=0.99)
    scores: dict[str, Callable[[Tensor], Tensor]] = {
        f"sigreg_{count}": partial(sigreg, directions=random_directions(config.shape[-1], count, generator=generator))
        for count in config.counts
    }
    scores["vicreg"] = lambda embeddings: variance_hinge(embeddings) + covariance_penalty(embeddings)
    scores["all_pairs"] = lambda embeddings: all_pairs(embeddings).mean()
    calls: dict[str, Callable[[], object]] = {
        name: partial(value_and_gradient, score, embeddings) for name, score in scores.items()
    }
    calls["teacher"] = partial(teacher.update, student)
    seconds = timed(calls, warm_up=2, repeats=config.repeats)
    there = [embeddings, *module_tensors(student, teacher)]
    sizes = {name: peak_bytes(call, there) / 1e6 for name, call in calls.items()}
    sizes["teacher"] += sum(tensor.numel() * tensor.element_size() for tensor in module_tensors(teacher)) / 1e6
    return {
        "milliseconds": {name: 1000 * statistics.median(times) for name, times in seconds.items()},
        "megabytes": sizes,
    }


def encoding(config: SIGRegCostConfig) -> dict[str, float]:
    """What the paper's encoder takes for a batch: ``step`` forwards and backwards, ``forward``, and ``activations``.

    Seconds and megabytes: those of a few clips, times as many as the batch holds.
    """
    frames, clips, _ = config.shape
    encoder = FrameEncoder(config.encoder)
    size = (config.clips * frames, 3, config.encoder.frame_size, config.encoder.frame_size)
    clip = torch.randn(size, generator=seeded(config.seed))

    def step() -> None:
        encoder.zero_grad(set_to_none=True)
        encoder(clip).square().mean().backward()

    def forward() -> None:
        with torch.no_grad():
            encoder(clip)

    seconds = timed({"step": step, "forward": forward}, warm_up=1, repeats=max(2, config.repeats // 3))
    with SavedBytes([clip, *module_tensors(encoder)]) as saved:
        encoder(clip)
    times = {name: clips / config.clips * statistics.median(measured) for name, measured in seconds.items()}
    return {**times, "activations": clips / config.clips * saved.total / 1e6}


def small_shares(config: SIGRegCostConfig) -> dict[int, float]:
    """SIGReg's share of the time of a training step of the early chapters' small model, by number of directions."""
    network = JointEmbeddingConfig()
    generator = seeded(config.seed)
    training = Training.of(init_joint_embedding(network, generator=generator)[None])
    pair = [torch.randn(config.small_batch, network.observation_dim, generator=generator) for _ in range(2)]
    objective, optimiser = side_by_side([OBJECTIVES["sigreg"]]), AdamWConfig(learning_rate=1e-3)

    def step(score: Score, directions: Tensor) -> None:
        training_step(training, *pair, directions, objective, config=network, optimiser=optimiser, score=score)

    shares = {}
    for count in config.small_counts:
        directions = random_directions(network.dim, count, generator=generator)
        calls = {
            "with": partial(step, sigreg, directions),
            "without": partial(step, lambda embeddings, directions: embeddings.sum() * 0, directions),
        }
        seconds = timed(calls, warm_up=3, repeats=4 * config.repeats)
        shares[count] = 1 - statistics.median(seconds["without"]) / statistics.median(seconds["with"])
    return shares


def run(config: SIGRegCostConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict:
    """All of it: ``growing``, ``beside``, ``encoding`` and ``small_shares``."""
    found = {}
    for measure in (growing, beside, encoding, small_shares):
        found[measure.__name__] = measure(config)
        progress(measure.__name__)
    return found


def values(config: SIGRegCostConfig, found: dict) -> dict[str, float]:
    """What the sentences quote: ratios, shares, and sizes, which do not depend on the processor."""
    most = config.counts[-1]
    growth = {name: brief(measured[-1] / measured[0]) for name, measured in found["growing"].items()}
    took, sizes = found["beside"]["milliseconds"], found["beside"]["megabytes"]
    encoder = found["encoding"]
    share = took[f"sigreg_{most}"] / 1000
    told = {
        "sigreg_cost.growth": growth["sigreg"],
        "sigreg_cost.growth_of_pairs": growth["all_pairs"],
        "sigreg_cost.share_of_step": brief(share / (share + encoder["step"])),
        "sigreg_cost.teacher_share_of_step": brief(encoder["forward"] / (encoder["forward"] + encoder["step"])),
        "sigreg_cost.activations_mb": brief(encoder["activations"]),
    }
    for name in took:
        told[f"sigreg_cost.over_{name}"] = brief(took[f"sigreg_{most}"] / took[name])
        told[f"sigreg_cost.{name}_mb"] = brief(sizes[name])
    return told | {f"sigreg_cost.small_share_{count}": brief(part) for count, part in found["small_shares"].items()}


def main() -> None:
    """Measure, keep the result, and say what it is."""
    config = SIGRegCostConfig()
    torch.set_num_threads(config.threads)
    found = run(config, progress=report)
    kept = values(config, found)
    path = keep_result("sigreg_cost", config=config, values=kept, details=found, seed=config.seed)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
