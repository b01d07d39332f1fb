"""Models that differ in their objective alone, trained in lock-step over several seeds, and what they know on the way.

Every model of one seed starts from the same weights and sees the same batches and directions; another seed has others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.func import vmap

from lewm_lite.embeddings.diagnostics import effective_rank, feature_std
from lewm_lite.experiments.results import kept_details
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.judging.probing import linear_probe
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, unpack
from lewm_lite.model.mlp import mlp
from lewm_lite.objectives.sigreg import Score, random_directions, sigreg
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import (
    MOMENTUM,
    Objective,
    Training,
    embed,
    prediction_error,
    side_by_side,
    training_step,
)
from lewm_lite.training.step import AdamWConfig
from lewm_lite.world.two_views import TwoMoments, TwoViews, TwoViewsConfig

READINGS = ("std", "effective_rank", "sigreg", "prediction", "probe_r2")


@dataclass(frozen=True)
class LockstepConfig:
    """What all models share."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    batch_size: int = 128
    num_directions: int = 64
    learning_rate: float = 1e-3
    momentum: float = MOMENTUM
    network: JointEmbeddingConfig = JointEmbeddingConfig()
    world: TwoViewsConfig = TwoViewsConfig()
    judged_samples: int = 2048  # held-out pairs that a probe is fitted on, and as many that it is judged on
    every: int = 50  # steps between two judgements


@dataclass(frozen=True)
class Phase:
    """So many steps, under one objective per model name."""

    steps: int
    objectives: Mapping[str, Objective]


@dataclass(frozen=True)
class Record:
    """``readings[name][reading][seed]`` is a list over ``steps``."""

    steps: list[int]
    readings: dict[str, dict[str, list[list[float]]]]

    def last(self, name: str, reading: str, *, step: int | None = None) -> list[float]:
        """A reading of a model at the end, or at a step that was judged, one number per seed."""
        place = -1 if step is None else self.steps.index(step)
        return [curve[place] for curve in self.readings[name][reading]]

    def told(
        self, prefix: str, name: str, readings: Sequence[str] = READINGS, *, step: int | None = None
    ) -> dict[str, float]:
        """``prefix.reading`` with ``_low`` and ``_high`` beside it: the mean and its 95 % interval over seeds."""
        told: dict[str, float] = {}
        for reading in readings:
            told |= over_seeds(f"{prefix}.{reading}", self.last(name, reading, step=step))
        return told


def completed(name: str, config: object, made: Record) -> Record:
    """``made``, and beside it the models of the result kept under this very config: models do not touch each other.

    Args:
        name: of the kept result. config: the experiment's. made: what was trained now.
    """
    details = kept_details(name, config=config)
    if details is None or details["steps"] != made.steps:
        return made
    return Record(made.steps, {**details["readings"], **made.readings})


def held_out(config: LockstepConfig) -> tuple[TwoMoments, TwoMoments]:
    """Pairs that no model is trained on: those that a probe is fitted on, and those that it is judged on."""
    world = TwoViews(config.world)
    fitted, judged = (world.sample(config.judged_samples, generator=seeded(place)) for place in (11, 12))
    return fitted, judged


def train(
    config: LockstepConfig,
    phases: Sequence[Phase],
    *,
    optimiser: AdamWConfig | None = None,
    score: Score = sigreg,
    looked_along: Callable[[Tensor], Tensor] = lambda drawn: drawn,
    watch: Callable[[int, Training], None] = lambda *_: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Record:
    """Train one model per name and seed through the phases.

    Args:
        config: what all share.
        phases: every phase names the same models.
        optimiser: instead of AdamW at the config's learning rate.
        score: what stands in SIGReg's place in the loss; what is read off stays SIGReg.
        looked_along: the directions of a step, ``(seeds, dim, num_directions)``, from those drawn for it.
        watch: shown the step and the models at every judgement; a model's row is ``name * seeds + seed``.
        progress: told in words now and then.
    Raises:
        ValueError: no phase, no seed, or phases that name different models.
    """
    if not phases or not config.seeds:
        raise ValueError(f"at least one phase and one seed are needed, got {len(phases)} and {len(config.seeds)}")
    names = list(phases[0].objectives)
    if any(list(phase.objectives) != names for phase in phases):
        raise ValueError(f"every phase must name the same models in the same order, the first names {names}")
    optimiser = optimiser or AdamWConfig(learning_rate=config.learning_rate)
    step_of = partial(training_step, config=config.network, optimiser=optimiser, momentum=config.momentum, score=score)
    starts = [init_joint_embedding(config.network, generator=seeded(seed)) for seed in config.seeds]
    training = Training.of(torch.stack([start for _ in names for start in starts]))
    drawn, judge = batches(config, [seeded(1000 + seed) for seed in config.seeds]), _Judge(config, names)
    step = 0

    def look() -> None:
        judge.look(step, training, objective)
        watch(step, training)
        progress(f"step {step}")

    for phase in phases:
        objective = side_by_side([phase.objectives[name] for name in names for _ in config.seeds])
        if step == 0:
            look()
        for _ in range(phase.steps):
            first, second, directions = next(drawn)
            batch = (part.repeat(len(names), 1, 1) for part in (first, second, looked_along(directions)))
            training, _ = step_of(training, *batch, objective)
            step += 1
            if step % config.every == 0:
                look()
    return judge.record()


def batches(config: LockstepConfig, generators: Sequence[torch.Generator]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endlessly, one batch and one set of directions per generator: first and second moments, and directions.

    Returns:
        ``(generators, batch, observation_dim)`` twice, and ``(generators, dim, num_directions)``.
    """
    world = TwoViews(config.world)
    while True:
        pairs = [world.sample(config.batch_size, generator=generator) for generator in generators]
        lines = [random_directions(config.network.dim, config.num_directions, generator=g) for g in generators]
        columns = ([pair.first for pair in pairs], [pair.second for pair in pairs], lines)
        first, second, directions = (torch.stack(column) for column in columns)
        yield first, second, directions


class _Judge:
    """Looks at all models through the same held-out pairs and keeps what it saw."""

    def __init__(self, config: LockstepConfig, names: list[str]) -> None:
        self.config, self.names = config, names
        self.fitted, self.judged = held_out(config)
        self.directions = random_directions(config.network.dim, 256, generator=seeded(13))
        self.steps: list[int] = []
        self.seen: list[dict[str, list[float]]] = []

    def look(self, step: int, training: Training, objective: Objective) -> None:
        self.steps.append(step)
        prediction = self._prediction(training.parameters, objective)
        encoders = [
            embed(training.parameters, pairs.first, self.config.network) for pairs in (self.fitted, self.judged)
        ]
        seen: dict[str, list[float]] = {reading: [] for reading in READINGS}
        for model, (fitted, judged) in enumerate(zip(*encoders, strict=True)):
            probe = linear_probe((fitted, self.fitted.state), (judged, self.judged.state))
            seen["std"].append(feature_std(judged).mean().item())
            seen["effective_rank"].append(effective_rank(judged))
            seen["sigreg"].append(sigreg(judged[: self.config.batch_size], self.directions).item())
            seen["prediction"].append(prediction[model].item())
            seen["probe_r2"].append(probe.r2)
        self.seen.append(seen)

    def _prediction(self, parameters: Tensor, objective: Objective) -> Tensor:
        pairs = torch.stack([self.judged.first, self.judged.second])

        def one(vector: Tensor, objective: Objective) -> Tensor:
            network = unpack(vector, self.config.network)
            return prediction_error(network, mlp(network, pairs, prefix="encoder."), pairs[1], objective)

        return vmap(one)(parameters, objective)

    def record(self) -> Record:
        seeds = len(self.config.seeds)
        readings = {
            name: {
                reading: [[seen[reading][place * seeds + seed] for seen in self.seen] for seed in range(seeds)]
                for reading in READINGS
            }
            for place, name in enumerate(self.names)
        }
        return Record(self.steps, readings)
