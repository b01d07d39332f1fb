"""C06: one state and one law of motion, seen through maps that bend the cloud; how well is the next moment predicted?

``python -m lewm_lite.experiments.shaped_latents`` trains and keeps the result; about three minutes on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap

from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.model.mlp import init_mlp, mlp
from lewm_lite.seeding import seeded
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step

STATE_DIM = 4
ANGLES = (math.pi / 3, math.pi / 5)  # by which each pair of coordinates turns in one step
STRETCH = (2.0, 1.0, 0.5, 0.1)  # standard deviations of the stretched cloud, before it gets the others' energy
EDGE, STEPS_OF_GRID = 4.0, 8001  # where a bent coordinate is looked up; one in 16,000 lies outside


@dataclass(frozen=True)
class ShapedLatentsConfig:
    """Predictors and their training; the same for every shape."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    shapes: tuple[str, ...] = ("gaussian", "stretched", "uniform", "clumped", "heavy_tailed", "twisted", "low_rank")
    hidden_dims: tuple[int, ...] = (32, 128)  # widths of the predictor's one hidden layer
    steps: int = 1500
    batch_size: int = 256
    learning_rate: float = 5e-3  # falls to 0 in a straight line over the second half
    judged: int = 10000


class Shape(NamedTuple):
    """A way of seeing the state, and the way back."""

    see: Callable[[Tensor], Tensor]  # (samples, 4) -> (samples, 4), of mean 0 and mean variance 1
    undo: Callable[[Tensor], Tensor]


def next_state(state: Tensor) -> Tensor:
    """Each pair of coordinates turned by its angle: a standard Gaussian stays one, and nothing is left to chance."""
    turns = [torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]) for a in ANGLES]
    return state @ torch.block_diag(*turns)


def _bent(curve: Callable[[Tensor], Tensor]) -> Shape:
    """Every coordinate by itself through one increasing curve, scaled to variance 1."""
    grid = torch.linspace(-EDGE, EDGE, STEPS_OF_GRID, dtype=torch.float64)
    density = torch.exp(-grid * grid / 2)
    size = ((curve(grid).square() * density).sum() / density.sum()).sqrt().item()
    heights = (curve(grid) / size).float()

    def undo(embeddings: Tensor) -> Tensor:
        right = torch.searchsorted(heights, embeddings.contiguous()).clamp(1, STEPS_OF_GRID - 1)
        low, high = heights[right - 1], heights[right]
        share = ((embeddings - low) / (high - low)).clamp(0, 1)
        return (grid.float()[right - 1] + share * (2 * EDGE / (STEPS_OF_GRID - 1))).reshape(embeddings.shape)

    return Shape(lambda state: curve(state) / size, undo)


def _twist(state: Tensor, amount: float) -> Tensor:
    """Coordinates 1 and 3, and 2 and 4, turned together, the further from 0 the more; lengths and volumes stay."""
    pairs = state.unflatten(-1, (2, 2))  # first index: half, second: which pair of turning coordinates
    first, second = pairs[..., 0, :], pairs[..., 1, :]
    angle = amount * (first.square() + second.square()).sqrt()
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * first - sin * second, sin * first + cos * second], -2).flatten(-2)


def _stretched() -> Shape:
    widths = torch.tensor(STRETCH)
    widths = widths / widths.square().mean().sqrt()
    return Shape(lambda state: state * widths, lambda embeddings: embeddings / widths)


def _low_rank() -> Shape:
    """The last coordinate is not seen; the others carry its energy."""
    kept = torch.tensor([1.0, 1.0, 1.0, 0.0])
    size = math.sqrt(4 / 3)
    return Shape(lambda state: size * kept * state, lambda embeddings: kept * embeddings / size)


SHAPES: dict[str, Shape] = {
    "gaussian": Shape(lambda state: state, lambda embeddings: embeddings),
    "stretched": _stretched(),
    "uniform": _bent(lambda x: torch.erf(x / math.sqrt(2))),
    "clumped": _bent(lambda x: torch.tanh(3 * x) + 0.2 * x),
    "heavy_tailed": _bent(torch.sinh),
    "twisted": Shape(lambda state: _twist(state, 1.0), lambda embeddings: _twist(embeddings, -1.0)),
    "low_rank": _low_rank(),
}


def train(config: ShapedLatentsConfig, hidden_dim: int) -> dict[str, Tensor]:
    """A predictor per shape and seed, side by side; row ``shape * seeds + seed`` of every parameter.

    All see the same states in the same order and start from the same weights, seed by seed.
    """
    starts = [init_mlp((STATE_DIM, hidden_dim, STATE_DIM), generator=seeded(seed)) for seed in config.seeds]
    parameters = {name: torch.stack([start[name] for _ in config.shapes for start in starts]) for name in starts[0]}
    optimiser = AdamWState.of(parameters)
    generators = [seeded(100 + seed) for seed in config.seeds]
    slope = vmap(grad(lambda network, here, there: (mlp(network, here) - there).square().mean()))
    for step in range(config.steps):
        state = torch.stack([torch.randn(config.batch_size, STATE_DIM, generator=g) for g in generators])
        here, there = (
            torch.cat([SHAPES[name].see(moment) for name in config.shapes]) for moment in (state, next_state(state))
        )
        rate = config.learning_rate * min(1.0, 2 - 2 * step / config.steps)
        gradients = slope(parameters, here, there)
        parameters, optimiser = adamw_step(parameters, gradients, optimiser, AdamWConfig(learning_rate=rate))
    return parameters


def judge(config: ShapedLatentsConfig, parameters: dict[str, Tensor]) -> dict[str, dict[str, list[float]]]:
    """``[shape]["latent" | "state"][seed]``: the share of variance missed, of the latent and, decoded, of the state."""
    state = torch.randn(config.judged, STATE_DIM, generator=seeded(7))
    later = next_state(state)
    found: dict[str, dict[str, list[float]]] = {}
    for place, name in enumerate(config.shapes):
        shape, missed = SHAPES[name], {"latent": [], "state": []}
        there = shape.see(later)
        for seed in range(len(config.seeds)):
            network = {key: value[place * len(config.seeds) + seed] for key, value in parameters.items()}
            predicted = mlp(network, shape.see(state))
            missed["latent"].append(((predicted - there).square().mean() / there.var(0).mean()).item())
            missed["state"].append((shape.undo(predicted) - later).square().mean().item())
        found[name] = missed
    return found


def run(config: ShapedLatentsConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, dict]:
    """``[hidden_dim][shape]["latent" | "state"][seed]``, for every width of the predictor."""
    found = {}
    for hidden_dim in config.hidden_dims:
        found[str(hidden_dim)] = judge(config, train(config, hidden_dim))
        progress(f"{hidden_dim} hidden units: done")
    return found


def values(found: dict[str, dict]) -> dict[str, float]:
    """``shaped_latents.h<width>.<shape>.<latent|state>`` with the 95 % interval over seeds."""
    told: dict[str, float] = {}
    for width, shapes in found.items():
        for name, missed in shapes.items():
            for reading, numbers in missed.items():
                told |= over_seeds(f"shaped_latents.h{width}.{name}.{reading}", numbers)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = ShapedLatentsConfig()
    found = run(config, progress=report)
    kept = values(found)
    path = keep_result("shaped_latents", config=config, values=kept, details=found, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
