r"""C13: do the terms of an objective pull the encoder in opposite directions, and by how much, as it learns?

At moments of the training every term's own gradient is taken, with respect to the encoder's weights alone, and the
cosines between them are kept. They are cosines of expected gradients: a batch's own noise, which would make every
cosine smaller, is taken out by multiplying gradients of different batches only. At a balance the weighted gradients add
up to nothing, so that some cosine must be below 0 there: two terms end at -1 whatever they are.

``python -m lewm_lite.experiments.vicreg_fight`` trains VICReg and SIGReg over five seeds; about two minutes.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import combinations

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, unpack
from lewm_lite.objectives.sigreg import random_directions
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import (
    OBJECTIVES,
    Objective,
    Terms,
    Training,
    joint_embedding_loss,
    side_by_side,
)
from lewm_lite.world.two_views import TwoViews

# Objective -> the terms that it weighs.
TERMS = {"vicreg": ("prediction", "variance", "covariance"), "sigreg": ("prediction", "sigreg")}


@dataclass(frozen=True)
class VicregFightConfig:
    """How long to train, how often to look, and on how many batches a gradient is averaged."""

    shared: LockstepConfig = LockstepConfig(every=50)
    steps: int = 2000
    batches: int = 16  # of the training's size, since SIGReg's strength goes with it; at least 2
    settled: int = 1000  # from this step on counts as the balance
    vicreg: Objective = OBJECTIVES["vicreg"]
    sigreg: Objective = OBJECTIVES["sigreg"]


@dataclass(frozen=True)
class Fight:
    """``cosines[name]["a·b"][seed]`` and ``sizes[name][term][seed]`` (of weighted gradients) are lists over steps."""

    steps: list[int]
    cosines: dict[str, dict[str, list[list[float]]]]
    sizes: dict[str, dict[str, list[list[float]]]]


def term_gradients(
    parameters: Tensor,
    objective: Objective,
    first: Tensor,
    second: Tensor,
    directions: Tensor,
    config: JointEmbeddingConfig,
) -> Tensor:
    """Each term's gradient, not yet weighed, with respect to the encoder's weights.

    Args:
        parameters: ``(models, parameters)``. objective: ``(models,)`` tensors; its switches decide what the target is.
        first, second: ``(batch, observation_dim)``. directions: ``(dim, num_directions)``. config: the networks.
    Returns:
        ``(models, 4, encoder_parameters)``, in the order of :class:`lewm_lite.training.joint_embedding.Terms`.
    """
    size = sum(math.prod(shape) for name, shape in config.shapes().items() if name.startswith("encoder."))

    def one(vector: Tensor, objective: Objective) -> Tensor:
        def terms(encoder: Tensor) -> Tensor:
            network = unpack(torch.cat([encoder, vector[size:]]), config)
            return torch.stack(joint_embedding_loss(network, first, second, directions, objective)[1])

        return jacrev(terms)(vector[:size])

    return vmap(one)(parameters, objective)


def expected_products(gradients: Tensor) -> Tensor:
    r"""Inner products of the expected gradients: $\frac{1}{B(B-1)}\sum_{i\ne j} g_i g_j^\top$, right on average.

    Args:
        gradients: ``(batches, models, terms, parameters)``, of independent batches.
    Returns:
        ``(models, terms, terms)``: all that norms and cosines need.
    """
    batches, together = len(gradients), gradients.sum(0)
    own = (gradients @ gradients.mT).sum(0)
    return (together @ together.mT - own) / (batches * (batches - 1))


def run(config: VicregFightConfig, *, progress=lambda _: None) -> Fight:
    """Train each objective on each seed, and look at its terms' gradients on the way."""
    shared, names, seeds = config.shared, list(TERMS), len(config.shared.seeds)
    objectives = {"vicreg": config.vicreg, "sigreg": config.sigreg}
    objective = side_by_side([objectives[name] for name in names for _ in shared.seeds])
    world, generator = TwoViews(shared.world), seeded(21)
    looked = [
        (
            world.sample(shared.batch_size, generator=generator),
            random_directions(shared.network.dim, shared.num_directions, generator=generator),
        )
        for _ in range(config.batches)
    ]
    steps: list[int] = []
    kept: list[Tensor] = []

    def watch(step: int, training: Training) -> None:
        steps.append(step)
        seen = [
            term_gradients(training.parameters, objective, pairs.first, pairs.second, directions, shared.network)
            for pairs, directions in looked
        ]
        kept.append(expected_products(torch.stack(seen)))

    train(shared, [Phase(config.steps, objectives)], watch=watch, progress=progress)
    products = torch.stack(kept).view(len(steps), len(names), seeds, len(Terms._fields), -1)
    cosines: dict[str, dict[str, list[list[float]]]] = {}
    sizes: dict[str, dict[str, list[list[float]]]] = {}
    for place, name in enumerate(names):
        own = products[:, place]
        norms = {term: own[:, :, i, i].clamp_min(0).sqrt() for i, term in enumerate(Terms._fields)}
        weights = {"prediction": 1.0, **objectives[name]._asdict()}
        sizes[name] = {term: (weights[term] * norms[term]).mT.tolist() for term in TERMS[name]}
        cosines[name] = {}
        for a, b in combinations(TERMS[name], 2):
            product = own[:, :, Terms._fields.index(a), Terms._fields.index(b)]
            cosines[name][f"{a}·{b}"] = (product / (norms[a] * norms[b])).mT.tolist()
    return Fight(steps, cosines, sizes)


def values(config: VicregFightConfig, fight: Fight) -> dict[str, float]:
    """``vicreg_fight.objective.a_b`` after ``settled`` steps: mean over moments, then mean and interval over seeds.

    ``_below_0`` is the share of those moments, over all seeds, at which the cosine is negative.
    """
    told: dict[str, float] = {}
    since = next(place for place, step in enumerate(fight.steps) if step >= config.settled)
    for name, pairs in fight.cosines.items():
        for pair, curves in pairs.items():
            late = torch.tensor(curves)[:, since:]
            key = f"vicreg_fight.{name}.{pair.replace('·', '_')}"
            told |= over_seeds(key, late.mean(1).tolist())
            told[f"{key}_below_0"] = brief((late < 0).float().mean().item())
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = VicregFightConfig()
    fight = run(config, progress=report)
    kept = values(config, fight)
    path = keep_result("vicreg_fight", config=config, values=kept, details=asdict(fight), seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
