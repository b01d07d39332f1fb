"""C12: an encoder trained to a standard Gaussian, and encoders trained in the same way to other targets.

``python -m lewm_lite.experiments.rival_targets`` trains and keeps the result; about a quarter of an hour on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from lewm_lite.experiments.lockstep import READINGS, LockstepConfig, Phase, held_out, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.judging.neighbours import neighbour_probe
from lewm_lite.model.joint_embedding import JointEmbeddingConfig
from lewm_lite.objectives.rivals import RIVALS, SCORES
from lewm_lite.training.joint_embedding import OBJECTIVES, Training, embed


@dataclass(frozen=True)
class RivalTargetsConfig:
    """Targets, and sizes of the embedding: that of the hidden state, and one with room to spare."""

    shared: LockstepConfig = LockstepConfig()
    targets: tuple[str, ...] = tuple(RIVALS)
    dims: tuple[int, ...] = (4, 16)
    steps: int = 2000  # even; judged halfway, too


def run(
    config: RivalTargetsConfig, *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, dict[str, list[float]]]]:
    """``[dim][target][reading][seed]``; weight, directions, batches and start are SIGReg's in every run.

    Readings are those of the lockstep at the end, ``probe_r2_halfway``, and ``neighbour_r2``, a probe that asks the
    ten nearest neighbours.
    """
    return {str(dim): {target: _one(config, dim, target, progress) for target in config.targets} for dim in config.dims}


def _one(config: RivalTargetsConfig, dim: int, target: str, progress: Callable[[str], None]) -> dict[str, list[float]]:
    half = config.steps // 2
    shared = replace(config.shared, network=JointEmbeddingConfig(dim=dim), every=half)
    phase = Phase(2 * half, {target: OBJECTIVES["sigreg"]})
    seen: dict[int, Training] = {}
    record = train(shared, [phase], score=SCORES[target], watch=lambda step, models: seen.update({step: models}))
    readings = {reading: record.last(target, reading) for reading in READINGS}
    progress(f"{dim} dimensions, {target}: probe R² {sum(readings['probe_r2']) / len(readings['probe_r2']):.3f}")
    return {
        **readings,
        "probe_r2_halfway": record.last(target, "probe_r2", step=half),
        "neighbour_r2": _neighbour_r2(shared, seen[record.steps[-1]]),
    }


def _neighbour_r2(shared: LockstepConfig, models: Training) -> list[float]:
    """R² of a probe that asks the ten nearest neighbours, on the held-out pairs that the linear probe uses."""
    fitted, judged = held_out(shared)
    near, far = (embed(models.parameters, pairs.first, shared.network) for pairs in (fitted, judged))
    return [neighbour_probe((a, fitted.state), (b, judged.state)).r2 for a, b in zip(near, far, strict=True)]


def values(found: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> dict[str, float]:
    """Each reading with its 95 % interval over seeds, and ``_gain``: the probes' paired difference to the Gaussian."""
    told: dict[str, float] = {}
    for dim, targets in found.items():
        for target, readings in targets.items():
            told_here = {reading: list(numbers) for reading, numbers in readings.items()}
            for probe in ("probe_r2", "probe_r2_halfway", "neighbour_r2"):
                pairs = zip(readings[probe], targets["gaussian"][probe], strict=True)
                told_here[f"{probe}_gain"] = [rival - gaussian for rival, gaussian in pairs]
            for reading, numbers in told_here.items():
                told |= over_seeds(f"rival_targets.d{dim}.{target}.{reading}", numbers)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = RivalTargetsConfig()
    found = run(config, progress=report)
    kept = values(found)
    path = keep_result("rival_targets", config=config, values=kept, details=found, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
