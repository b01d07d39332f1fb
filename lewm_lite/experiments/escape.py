r"""C02: how many steps a collapsed cloud, or encoder, takes to come back under SIGReg, by what is left of it.

What is collapsed starts with a standard deviation between 0.01 and exactly 0. Three ways back are timed: free points
that descend on SIGReg alone; an encoder that descends on prediction + λ·SIGReg; the same encoder under Adam.

``python -m lewm_lite.experiments.escape`` times all and keeps the result; about two minutes on one core.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, vmap

from lewm_lite.embeddings.diagnostics import feature_std
from lewm_lite.experiments.lockstep import LockstepConfig, batches
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, pack, unpack
from lewm_lite.model.mlp import mlp
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import OBJECTIVES, Objective, embed, joint_embedding_loss
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step
from lewm_lite.world.two_views import TwoViews, TwoViewsConfig

Move = Callable[[Tensor, Tensor], Tensor]  # parameters or points, their gradient -> where they are next


@dataclass(frozen=True)
class EscapeConfig:
    """What is left of the cloud, and who moves how."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    noises: tuple[float, ...] = (1e-2, 1e-4, 1e-6, 1e-8)  # standard deviation at the start, mean over features
    num_samples: int = 128  # of the cloud, and in a batch of the encoder
    num_directions: int = 64  # fresh at every step
    network: JointEmbeddingConfig = JointEmbeddingConfig()
    objective: str = "sigreg"  # of the encoders
    cloud_rate: float = 0.5  # of plain descent, for free points
    descent_rate: float = 0.1  # of plain descent, for an encoder's parameters
    adam_rate: float = 1e-3
    escaped: float = 0.5  # the standard deviation at which a cloud counts as back
    most_steps: int = 1000  # after which it counts as never; what is exactly collapsed is given so many


def collapsed_encoder(config: EscapeConfig, seed: int, noise: float) -> Tensor:
    """A fresh encoder whose last layer is scaled down until its embeddings have a standard deviation of ``noise``.

    Args:
        config: the sizes of the networks. seed: of the weights. noise: 0 gives a last layer of zeros.
    Returns:
        ``(parameters,)``; the teacher, which nothing here looks at, is the encoder.
    """
    network = unpack(init_joint_embedding(config.network, generator=seeded(seed)), config.network)
    seen = TwoViews(TwoViewsConfig()).sample(2048, generator=seeded(11)).first
    there = feature_std(mlp(network, seen, prefix="encoder.")).mean()
    last = max(name for name in network if name.startswith("encoder.weight_")).removeprefix("encoder.")
    for prefix in ("encoder.", "teacher."):
        network[prefix + last] = network[prefix + last] * (noise / there)
    return pack(network, config.network)


def plain(rate: float) -> Move:
    """Plain gradient descent."""
    return lambda position, gradient: position - rate * gradient


def adam(rate: float) -> Move:
    """Adam, which remembers: one for each run."""
    optimiser, states = AdamWConfig(learning_rate=rate), []

    def move(position: Tensor, gradient: Tensor) -> Tensor:
        state = states.pop() if states else AdamWState.of({"all": position})
        moved, state = adamw_step({"all": position}, {"all": gradient}, state, optimiser)
        states.append(state)
        return moved["all"]

    return move


def escape_of_cloud(config: EscapeConfig, seed: int, noise: float) -> tuple[list[float], Tensor]:
    """Free points under SIGReg alone: standard deviation by step until they are back, and the points at the end."""
    generator = seeded(100 + seed)
    dim = config.network.dim
    points = torch.randn(config.num_samples, dim, generator=generator)
    points = points * (noise / feature_std(points).mean())
    move, curve = plain(config.cloud_rate), [feature_std(points).mean().item()]
    while curve[-1] < config.escaped and len(curve) <= config.most_steps:
        directions = random_directions(dim, config.num_directions, generator=generator)
        points = move(points, grad(sigreg)(points, directions))
        curve.append(feature_std(points).mean().item())
    return curve, points


def escape_of_encoders(
    config: EscapeConfig, starts: Tensor, move: Move, *, seeds: tuple[int, ...]
) -> tuple[list[list[float]], Tensor]:
    """Encoders, one per row of ``starts``, until all are back: standard deviation by step, and where they end.

    Args:
        starts: ``(models, parameters)``. move: the optimiser.
        seeds: of batches and directions, one per model.
    Returns:
        A curve per model, all of one length; ``(models, parameters)``.
    """
    held_out = TwoViews(TwoViewsConfig()).sample(512, generator=seeded(12)).first
    shared = LockstepConfig(batch_size=config.num_samples, num_directions=config.num_directions, network=config.network)
    drawn = batches(shared, [seeded(200 + seed) for seed in seeds])
    objective = Objective(*(torch.tensor(float(value)) for value in OBJECTIVES[config.objective]))

    def gradient(vector: Tensor, first: Tensor, second: Tensor, directions: Tensor) -> Tensor:
        network = unpack(vector, config.network)
        slopes, _ = grad(joint_embedding_loss, has_aux=True)(network, first, second, directions, objective)
        return pack(slopes, config.network)

    parameters, curves = starts, [_spread(starts, held_out, config)]
    back = torch.zeros(len(starts), dtype=torch.bool)
    while not bool(back.all()) and len(curves) <= config.most_steps:
        parameters = move(parameters, vmap(gradient)(parameters, *next(drawn)))
        curves.append(_spread(parameters, held_out, config))
        back |= curves[-1] >= config.escaped
    return torch.stack(curves, 1).tolist(), parameters


def steps_until_back(curve: list[float], config: EscapeConfig) -> int | None:
    """The first step at which the standard deviation is that of an escape; None if there is none."""
    return next((step for step, std in enumerate(curve) if std >= config.escaped), None)


def run(
    config: EscapeConfig, *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, list[int | None]]]:
    """``steps[traveller][noise][seed]``: how long each takes; under ``"0"``, from exact collapse."""
    noises = (*config.noises, 0.0)
    steps: dict[str, dict[str, list[int | None]]] = {}
    steps["cloud"] = {
        f"{noise:g}": [steps_until_back(escape_of_cloud(config, seed, noise)[0], config) for seed in config.seeds]
        for noise in noises
    }
    progress("cloud")
    for name, rate, optimiser in (("descent", config.descent_rate, plain), ("adam", config.adam_rate, adam)):
        steps[name] = {}
        for noise in noises:
            starts = torch.stack([collapsed_encoder(config, seed, noise) for seed in config.seeds])
            curves, _ = escape_of_encoders(config, starts, optimiser(rate), seeds=config.seeds)
            steps[name][f"{noise:g}"] = [steps_until_back(curve, config) for curve in curves]
            progress(f"{name} {noise:g}: {steps[name][f'{noise:g}']}")
    return steps


def values(config: EscapeConfig, steps: dict[str, dict[str, list[int | None]]]) -> dict[str, float]:
    """``escape.traveller.at_1e6`` (mean steps and 95 % interval over seeds), ``.per_hundredth`` (steps more for a
    hundredth of the noise, mean over noises), and ``escape.exact.escaped``, how many came back from exact collapse.
    """
    told: dict[str, float] = {}
    exact = 0
    for name, by_noise in steps.items():
        means = []
        for noise in config.noises:
            counts = [math.nan if count is None else count for count in by_noise[f"{noise:g}"]]
            means.append(statistics.fmean(counts))
            told |= over_seeds(f"escape.{name}.at_1e{-math.log10(noise):.0f}", counts)
        hundreds = math.log(config.noises[0] / config.noises[-1], 100)
        told[f"escape.{name}.per_hundredth"] = brief((means[-1] - means[0]) / hundreds)
        exact += sum(count is not None for count in by_noise["0"])
    told["escape.exact.escaped"] = exact
    told["escape.exact.given"] = config.most_steps
    return told


def _spread(parameters: Tensor, observations: Tensor, config: EscapeConfig) -> Tensor:
    return feature_std(embed(parameters, observations, config.network)).mean(-1)


def main() -> None:
    """Time all, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = EscapeConfig()
    steps = run(config, progress=report)
    kept = values(config, steps)
    path = keep_result("escape", config=config, values=kept, details={"steps": steps}, seed=0)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
