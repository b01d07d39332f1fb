r"""C07, C08: how many of its dimensions a trained encoder uses, what it keeps in them, and what SIGReg makes of it.

Four objectives train one encoder on the same batches, and are looked at; then SIGReg takes over all of them for a
while, and they are looked at again. In this world four numbers can be predicted, and eight more are seen that cannot.

``python -m lewm_lite.experiments.used_dimensions`` trains all and keeps the result; about six minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import effective_rank, feature_std, participation_ratio, spectrum
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.judging.probing import linear_probe
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import OBJECTIVES, Training, embed
from lewm_lite.world.two_views import TwoViews

# The objectives that are compared, and what each is called where there is little room.
NAMES = {"variance_only": "variance", "vicreg": "VICReg", "ema_stop_gradient": "teacher", "sigreg": "SIGReg"}
READINGS = ("effective_rank", "participation_ratio", "smallest_std", "largest_std", "sigreg", "state", "distractions")


@dataclass(frozen=True)
class UsedDimensionsConfig:
    """Which objectives, for how long, and for how long SIGReg takes over."""

    shared: LockstepConfig = LockstepConfig(every=500)
    objectives: tuple[str, ...] = tuple(NAMES)
    steps: int = 1500
    steps_after: int = 1000


@dataclass(frozen=True)
class Looked:
    """What an encoder makes of held-out observations; one number per seed, and of spectra and stds one list."""

    spectrum: list[list[float]]
    feature_std: list[list[float]]
    readings: dict[str, list[float]]


def run(
    config: UsedDimensionsConfig, *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, Looked]]:
    """``looked[objective][moment]``, the moments being ``before`` and ``after`` SIGReg took over.

    Raises:
        ValueError: a number of steps that is no multiple of ``shared.every``, where models are looked at.
    """
    if config.steps % config.shared.every or config.steps_after % config.shared.every:
        raise ValueError(
            f"steps and steps_after must be multiples of every = {config.shared.every}, "
            f"got {config.steps} and {config.steps_after}"
        )
    moments = {config.steps: "before", config.steps + config.steps_after: "after"}
    kept: dict[str, Tensor] = {}

    def watch(step: int, training: Training) -> None:
        if step in moments:
            kept[moments[step]] = training.parameters

    phases = [
        Phase(config.steps, {name: OBJECTIVES[name] for name in config.objectives}),
        Phase(config.steps_after, dict.fromkeys(config.objectives, OBJECTIVES["sigreg"])),
    ]
    train(config.shared, phases, watch=watch, progress=progress)
    judge = HeldOut(config.shared)
    seeds = len(config.shared.seeds)
    looked: dict[str, dict[str, Looked]] = {name: {} for name in config.objectives}
    for moment, parameters in kept.items():
        for place, name in enumerate(config.objectives):
            looked[name][moment] = judge.look(parameters[place * seeds : (place + 1) * seeds])
    return looked


class HeldOut:
    """Observations that no encoder was trained on, and what stands behind each: the state and the distractions."""

    def __init__(self, config: LockstepConfig) -> None:
        self.config = config
        self.fitted, self.judged = (self._draw(place) for place in (21, 22))
        self.directions = random_directions(config.network.dim, 256, generator=seeded(23))

    def _draw(self, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        world, generator = TwoViews(self.config.world), seeded(seed)
        hidden, looks = (torch.randn(self.config.judged_samples, dim, generator=generator) for dim in world.noise_dims)
        pairs = world.moments(hidden, looks)
        first = 2 * world.config.state_dim
        return pairs.first, pairs.state, hidden[:, first : first + world.config.distraction_dim]

    def look(self, parameters: Tensor) -> Looked:
        """The readings of models ``(models, parameters)``, one per seed."""
        fitted, judged = (embed(parameters, held[0], self.config.network) for held in (self.fitted, self.judged))
        readings: dict[str, list[float]] = {name: [] for name in READINGS}
        for known, cloud in zip(fitted, judged, strict=True):
            for name, number in self.read(known, cloud).items():
                readings[name].append(number)
        return Looked(spectrum(judged).tolist(), feature_std(judged).tolist(), readings)

    def read(self, fitted: Tensor, judged: Tensor) -> dict[str, float]:
        """All READINGS of one cloud; probes are fitted on the first and judged on the second."""
        stds, size = feature_std(judged), self.config.batch_size
        batches = judged[: len(judged) // size * size].unflatten(0, (-1, size))
        probes = [
            linear_probe((fitted, known), (judged, asked)).r2
            for known, asked in zip(self.fitted[1:], self.judged[1:], strict=True)
        ]
        return {
            "effective_rank": effective_rank(judged),
            "participation_ratio": participation_ratio(judged),
            "smallest_std": stds.min().item(),
            "largest_std": stds.max().item(),
            "sigreg": sigreg(batches, self.directions).item(),
            "state": probes[0],
            "distractions": probes[1],
        }

    def raw(self) -> dict[str, float]:
        """The same readings of the observations themselves, without what only an embedding has."""
        fitted, judged = self.fitted[0], self.judged[0]
        return {
            "effective_rank": effective_rank(judged),
            "state": linear_probe((fitted, self.fitted[1]), (judged, self.judged[1])).r2,
            "distractions": linear_probe((fitted, self.fitted[2]), (judged, self.judged[2])).r2,
        }


def values(looked: dict[str, dict[str, Looked]]) -> dict[str, float]:
    """``used_dimensions.objective.moment.reading`` with its 95 % interval over seeds beside it."""
    told: dict[str, float] = {}
    for name, moments in looked.items():
        for moment, seen in moments.items():
            for reading, numbers in seen.readings.items():
                told |= over_seeds(f"used_dimensions.{name}.{moment}.{reading}", numbers)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = UsedDimensionsConfig()
    looked = run(config, progress=report)
    raw = {f"used_dimensions.raw.{name}": brief(value) for name, value in HeldOut(config.shared).raw().items()}
    kept = {**raw, **values(looked)}
    details = {name: {moment: asdict(seen) for moment, seen in row.items()} for name, row in looked.items()}
    path = keep_result("used_dimensions", config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
