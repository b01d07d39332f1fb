r"""C17, P08: an encoder trained with the same K directions at every step, beside one that gets K fresh ones.

Everything else is alike: weights at the start, batches, λ, the number of steps. At the end a held-out batch is scored
along the directions of the last step, which under fixed ones are those that the encoder has known all along, and along
256 that no training used. Values are ``fixed_directions.<fixed|fresh>.k<K>.<reading>``, mean and 95 % interval over
seeds; ``known`` is SIGReg along the last step's directions, ``sigreg`` along unused ones.

``python -m lewm_lite.experiments.fixed_directions``: two minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, held_out, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.training.joint_embedding import OBJECTIVES, Training, embed

TOLD = ("known", "sigreg", "std", "effective_rank", "probe_r2")
Seen = dict[str, dict[str, list[float]]]  # "fixed.k4" -> reading -> one number per seed


@dataclass(frozen=True)
class FixedDirectionsConfig:
    """How many directions, for how long."""

    shared: LockstepConfig = LockstepConfig(every=800)
    counts: tuple[int, ...] = (1, 4, 16, 64)
    steps: int = 800


class Held:
    """The directions of a step: those drawn for the first step, at every step, or each step's own."""

    def __init__(self, *, fixed: bool) -> None:
        self.fixed, self.now = fixed, None

    def __call__(self, drawn: Tensor) -> Tensor:
        if self.now is None or not self.fixed:
            self.now = drawn
        return self.now


def trained(config: FixedDirectionsConfig, count: int, *, fixed: bool) -> dict[str, list[float]]:
    """Train one encoder per seed with ``count`` directions; its readings at the end, one number per seed."""
    shared = replace(config.shared, num_directions=count)
    held, known = Held(fixed=fixed), []
    _, judged = held_out(shared)

    def watch(step: int, training: Training) -> None:
        if step == config.steps:
            batch = embed(training.parameters, judged.first[: shared.batch_size], shared.network)
            known.extend(sigreg(one, lines).item() for one, lines in zip(batch, held.now, strict=True))

    phases = [Phase(config.steps, {"sigreg": OBJECTIVES["sigreg"]})]
    record = train(shared, phases, looked_along=held, watch=watch)
    return {"known": known, **{reading: record.last("sigreg", reading) for reading in TOLD[1:]}}


def run(config: FixedDirectionsConfig, *, progress: Callable[[str], None] = lambda _: None) -> Seen:
    """All counts, fixed and fresh."""
    seen: Seen = {}
    for count in config.counts:
        for fixed in (True, False):
            name = f"{'fixed' if fixed else 'fresh'}.k{count}"
            seen[name] = trained(config, count, fixed=fixed)
            progress(f"{name}: {seen[name]}")
    return seen


def values(seen: Seen) -> dict[str, float]:
    """Every reading of every run, as sentences quote them."""
    told: dict[str, float] = {}
    for name, readings in seen.items():
        for reading in TOLD:
            told |= over_seeds(f"fixed_directions.{name}.{reading}", readings[reading])
    return told


def main() -> None:
    """Train all, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = FixedDirectionsConfig()
    seen = run(config, progress=report)
    path = keep_result("fixed_directions", config=config, values=values(seen), details={"seen": seen}, seed=0)
    print(path.name)


if __name__ == "__main__":
    main()
