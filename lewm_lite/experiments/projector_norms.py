"""Why a projector stands behind the encoder's last LayerNorm, and why its hidden layer has BatchNorm.

SIGReg alone trains an affine encoder that ends in LayerNorm, with four things behind it: nothing, and a projector whose
hidden layer has no norm, LayerNorm, or BatchNorm. At the start all features spread, or they are almost one point.

``python -m lewm_lite.experiments.projector_norms`` trains all and keeps the result; about three minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lewm_lite.embeddings.diagnostics import effective_rank
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.model.norms import layer_norm
from lewm_lite.model.predictor import initialise_affine
from lewm_lite.model.projector import Projector
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.seeding import seeded
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step

ENDINGS = ("nothing", "no_norm", "layer_norm", "batch_norm")


@dataclass(frozen=True)
class ProjectorNormsConfig:
    """Sizes and lengths; ``spreads`` is how far features differ at the start, beside a constant of size 1."""

    dims: tuple[int, ...] = (4, 64)
    spreads: tuple[float, ...] = (1.0, 0.001)
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 300
    batch_size: int = 128
    num_directions: int = 64
    optimiser: AdamWConfig = AdamWConfig(learning_rate=3e-3)
    judged: int = 8  # batches at the end whose scores are averaged


@dataclass(frozen=True)
class Ending:
    """What was reached, one number per seed."""

    start: list[float]  # SIGReg before training
    sigreg: list[float]  # and after it; the floor is 1.05
    effective_rank: list[float]


class Bare(nn.Module):
    """Affine, LayerNorm, and an ending: ``(samples, dim)`` -> ``(samples, dim)``."""

    def __init__(self, dim: int, ending: str) -> None:
        super().__init__()
        with torch.device("meta"):  # layers that are born with weights would draw them from the global random state
            self.affine, self.norm = nn.Linear(dim, dim), nn.LayerNorm(dim)
            self.projector = nn.Identity() if ending == "nothing" else Projector(dim, 2 * dim)
            if ending in ("no_norm", "layer_norm"):
                self.projector.norm = nn.Identity() if ending == "no_norm" else nn.LayerNorm(2 * dim)
        self.to_empty(device="cpu")

    def forward(self, inputs: Tensor) -> Tensor:
        """``(samples, dim)`` -> the same shape."""
        return self.projector(self.norm(self.affine(inputs)))

    def start(self, spread: float, generator: torch.Generator) -> None:
        """First weights; features are a constant vector plus ``spread`` times what the input says."""
        initialise_affine(self, generator)
        dim = self.affine.in_features
        nn.init.normal_(self.affine.weight, std=spread * dim**-0.5, generator=generator)
        nn.init.normal_(self.affine.bias, generator=generator)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.reset_parameters()


def run(
    config: ProjectorNormsConfig, *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, Ending]]:
    """What each ending reached, by :func:`name_of` dimension and spread, then by ending."""
    found: dict[str, dict[str, Ending]] = {}
    for dim in config.dims:
        for spread in config.spreads:
            case = found.setdefault(name_of(dim, spread), {})
            for ending in ENDINGS:
                runs = [_train(config, dim, spread, ending, seed) for seed in config.seeds]
                case[ending] = Ending(*([brief(value) for value in column] for column in zip(*runs, strict=True)))
                progress(f"{name_of(dim, spread)} {ending}: {case[ending]}")
    return found


def _train(config: ProjectorNormsConfig, dim: int, spread: float, ending: str, seed: int) -> tuple[float, float, float]:
    generator = seeded(seed)
    model = Bare(dim, ending)
    model.start(spread, generator)

    def batch() -> Tensor:
        return torch.randn(config.batch_size, dim, generator=generator)

    def score(embeddings: Tensor) -> Tensor:
        return sigreg(embeddings, random_directions(dim, config.num_directions, generator=generator))

    values = {name: value.detach() for name, value in model.named_parameters()}
    state = AdamWState.of(values)
    start = score(model(batch())).item()
    for _ in range(config.steps):
        live = {name: value.requires_grad_() for name, value in values.items()}
        slopes = torch.autograd.grad(score(functional_call(model, live, (batch(),))), list(live.values()))
        gradients = dict(zip(live, slopes, strict=True))
        still = {name: value.detach() for name, value in live.items()}
        values, state = adamw_step(still, gradients, state, config.optimiser)
    with torch.no_grad():
        clouds = [functional_call(model, values, (batch(),)) for _ in range(config.judged)]
        reached = torch.stack([score(cloud) for cloud in clouds]).mean().item()
    return start, reached, effective_rank(torch.cat(clouds))


def on_the_sphere(dim: int, config: ProjectorNormsConfig) -> float:
    """The least that LayerNorm allows without a learned scale: SIGReg of points spread evenly over its sphere."""
    generator = seeded(0)
    clouds = layer_norm(torch.randn(64, config.batch_size, dim, generator=generator))
    return sigreg(clouds, random_directions(dim, 16 * config.num_directions, generator=generator)).item()


def name_of(dim: int, spread: float) -> str:
    """``dim4_spread0_001``: a word that a value's name can hold."""
    return f"dim{dim}_spread{spread:g}".replace(".", "_")


def values(found: dict[str, dict[str, Ending]], config: ProjectorNormsConfig) -> dict[str, float]:
    """``projector_norms.<case>.<ending>.sigreg`` and ``.effective_rank``: means and 95 % intervals over seeds.

    Beside them ``projector_norms.dim<n>.sphere``, see :func:`on_the_sphere`.
    """
    told = {f"projector_norms.dim{dim}.sphere": brief(on_the_sphere(dim, config)) for dim in config.dims}
    for case, endings in found.items():
        for name, ending in endings.items():
            told |= over_seeds(f"projector_norms.{case}.{name}.sigreg", ending.sigreg)
            told |= over_seeds(f"projector_norms.{case}.{name}.effective_rank", ending.effective_rank)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = ProjectorNormsConfig()
    found = run(config, progress=report)
    told = values(found, config)
    details = {case: {name: asdict(ending) for name, ending in endings.items()} for case, endings in found.items()}
    print(keep_result("projector_norms", config=config, values=told, details=details, seed=config.seeds[0]))
    for name, value in told.items():
        print(f"{name} = {value}")


if __name__ == "__main__":
    main()
