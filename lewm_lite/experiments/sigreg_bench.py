"""C23: SIGReg against the formula taken literally, a sine and a cosine per knot: time, memory, value and gradient.

``python -m lewm_lite.experiments.sigreg_bench`` compares and keeps the ratios; half a minute on one core. So does
``make bench``; ``make bench DEVICE=cuda`` compares on a graphics card, and keeps nothing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lewm_lite.experiments.live_bytes import LiveBytes
from lewm_lite.experiments.results import keep_result
from lewm_lite.experiments.seeds import brief
from lewm_lite.objectives.sigreg import Score, random_directions, sigreg
from lewm_lite.seeding import seeded


@dataclass(frozen=True)
class SIGRegBenchConfig:
    """The paper's shape, and how it is measured."""

    time: int = 4  # frames of a clip, one test each
    batch: int = 128
    dim: int = 192
    num_directions: int = 1024
    warm_up: int = 3  # calls of each that are not counted
    repeats: int = 25  # timed calls of each, one after the other in turn
    threads: int = 1  # more would measure who else is at work on the machine
    device: str = "cpu"
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """The direct form over ours, and how far apart the two are."""

    faster: float  # the median, over neighbouring calls, of the one's time over the other's
    less_memory: float  # extra memory at the peak, likewise
    value_error: float  # relative
    gradient_error: float  # relative to the largest entry
    milliseconds: dict[str, float]  # medians
    megabytes: dict[str, float]


def direct_sigreg(embeddings: Tensor, directions: Tensor, *, knots: int = 17, t_max: float = 3.0) -> Tensor:
    """SIGReg letter by letter: cosines and sines of all knots x samples x directions exist at once.

    Args:
        embeddings: ``(*leading, samples, dim)``. directions: ``(dim, num_directions)``.
        knots, t_max: as in :func:`lewm_lite.sigreg`.
    """
    t = torch.linspace(0, t_max, knots, dtype=embeddings.dtype, device=embeddings.device)
    bell = torch.exp(-t * t / 2)
    weights = torch.full_like(t, 2 * t_max / (knots - 1))
    weights[[0, -1]] /= 2
    angles = (embeddings @ directions)[..., None] * t  # (*leading, samples, num_directions, knots)
    gap = (angles.cos().mean(-3) - bell).square() + angles.sin().mean(-3).square()
    return embeddings.shape[-2] * (gap @ (weights * bell)).mean()


def compare(config: SIGRegBenchConfig, *, direct: Score = direct_sigreg, ours: Score = sigreg) -> Comparison:
    """Value and gradient of both, in one run, interleaved."""
    generator = seeded(config.seed)
    shape = (config.time, config.batch, config.dim)
    embeddings = torch.randn(shape, generator=generator).to(config.device).requires_grad_()
    directions = random_directions(config.dim, config.num_directions, generator=generator).to(config.device)

    def both(score: Score) -> tuple[Tensor, Tensor]:
        value = score(embeddings, directions)
        return value.detach(), torch.autograd.grad(value, embeddings)[0]

    (expected, slope), (value, gradient) = both(direct), both(ours)
    calls = {"direct": lambda: both(direct), "ours": lambda: both(ours)}
    seconds = timed(calls, warm_up=config.warm_up, repeats=config.repeats, device=config.device)
    extra = {name: peak_bytes(call, [embeddings, directions], device=config.device) for name, call in calls.items()}
    pairs = zip(seconds["direct"], seconds["ours"], strict=True)
    return Comparison(
        faster=statistics.median(theirs / mine for theirs, mine in pairs),
        less_memory=extra["direct"] / extra["ours"],
        value_error=((value - expected).abs() / expected).item(),
        gradient_error=((gradient - slope).abs().max() / slope.abs().max()).item(),
        milliseconds={name: 1000 * statistics.median(times) for name, times in seconds.items()},
        megabytes={name: size / 1e6 for name, size in extra.items()},
    )


def timed(
    calls: dict[str, Callable[[], object]], *, warm_up: int, repeats: int, device: str = "cpu"
) -> dict[str, list[float]]:
    """Seconds of each call, one list per name; the calls take turns, so that a busy moment meets all of them.

    On a processor they are processor time, so that what else is at work there is not counted, and run in one thread; on
    a graphics card they are time on the wall, until it has finished.
    """
    clock = time.perf_counter if torch.device(device).type == "cuda" else time.process_time
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(warm_up + repeats):
        for name, call in calls.items():
            _finish(device)
            started = clock()
            call()
            _finish(device)
            if repeat >= warm_up:
                seconds[name].append(clock() - started)
    return seconds


def peak_bytes(call: Callable[[], object], there: list[Tensor], *, device: str = "cpu") -> int:
    """The most memory that a call takes beyond what is there.

    On a processor every tensor is counted; on a graphics card the allocator is asked, which sees kernels' own too.
    """
    if torch.device(device).type == "cuda":
        _finish(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        _finish(device)
        return torch.cuda.max_memory_allocated(device) - before
    with LiveBytes(there) as live:
        before = live.now
        call()
    return live.peak - before


def _finish(device: str) -> None:
    """Wait for what a graphics card was given to do."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def values(compared: Comparison) -> dict[str, float]:
    """What the sentences quote: ratios."""
    return {
        "sigreg_bench.faster": brief(compared.faster),
        "sigreg_bench.less_memory": brief(compared.less_memory),
        "sigreg_bench.gradient_error": brief(compared.gradient_error),
    }


def main() -> None:
    """Compare, keep the ratios if it was on a processor, and say what they are."""
    parser = argparse.ArgumentParser(description="SIGReg against the direct formula, at the paper's shape.")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    device = parser.parse_args().device
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        parser.error(f"--device {device}: this torch sees no graphics card; leave it out to measure on the processor")
    config = replace(SIGRegBenchConfig(), device=device)
    torch.set_num_threads(config.threads)
    compared = compare(config)
    kept = values(compared)
    if device == "cpu":
        keep_result("sigreg_bench", config=config, values=kept, details={}, seed=config.seed)
    print(f"value and gradient at {config.time} x {config.batch} x {config.dim}, {config.num_directions} directions:")
    for name in ("direct", "ours"):
        print(f"  {name}: {compared.milliseconds[name]:.1f} ms, {compared.megabytes[name]:.1f} MB extra")
    print(f"  {compared.faster:.1f} times as fast, {compared.less_memory:.1f} times less extra memory")
    print(
        f"  apart by {compared.value_error:.1e} (value), {compared.gradient_error:.1e} (gradient, of its largest entry)"
    )


if __name__ == "__main__":
    main()
