r"""C02: what collapse looks like when the encoder ends in a normalisation layer, and whether a small network sees more.

Prediction alone trains four encoders that differ in their ending: none, LayerNorm, BatchNorm, and BatchNorm one layer
before the end. What is left in each is read by a linear probe, and at the end by a small network as well.

``python -m lewm_lite.experiments.normalised_collapse`` trains all and keeps the result; about two minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, vmap

from lewm_lite.embeddings.diagnostics import covariance, effective_rank, feature_std
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import over_seeds
from lewm_lite.judging.probing import linear_probe
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, unpack
from lewm_lite.model.mlp import mlp
from lewm_lite.model.norms import batch_norm, layer_norm
from lewm_lite.seeding import seeded
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step
from lewm_lite.world.two_views import TwoMoments, TwoViews, TwoViewsConfig

READINGS = ("std", "effective_rank", "prediction", "probe_r2")
Network = dict[str, Tensor]


@dataclass(frozen=True)
class NormalisedCollapseConfig:
    """How long, on what, and how it is looked at."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    endings: tuple[str, ...] = ("plain", "layer_norm", "batch_norm", "batch_norm_inside")
    steps: int = 2000
    batch_size: int = 128
    learning_rate: float = 1e-3
    network: JointEmbeddingConfig = JointEmbeddingConfig()
    world: TwoViewsConfig = TwoViewsConfig()
    judged_samples: int = 4096  # held-out pairs that probes are fitted on, and as many that they are judged on
    looks: tuple[int, ...] = (0, 50, 100, 200, 500, 1000, 2000)  # steps at which all is judged
    probe_width: int = 128  # of the small network's two hidden layers; 0 leaves it out


def encode(network: Network, observations: Tensor, ending: str) -> Tensor:
    """``(samples, observation_dim)`` -> ``(samples, dim)``: the book's small encoder with one of the four endings.

    Raises:
        ValueError: an ending that is not one of the four.
    """
    if ending == "batch_norm_inside":
        first, last = mlp(_layers(network, 0, 2), observations), _layers(network, 2, 3)
        return mlp(last, torch.tanh(batch_norm(first)))
    norms = {"plain": lambda inputs: inputs, "layer_norm": layer_norm, "batch_norm": batch_norm}
    if ending not in norms:
        raise ValueError(f"ending must be one of {(*norms, 'batch_norm_inside')}, got {ending!r}")
    return norms[ending](mlp(network, observations, prefix="encoder."))


def prediction(network: Network, first: Tensor, second: Tensor, ending: str) -> Tensor:
    """Mean squared error of the second moment's predicted embedding; both moments are normalised as one batch."""
    here, there = encode(network, torch.cat([first, second]), ending).chunk(2)
    return (mlp(network, here, prefix="predictor.") - there).square().mean()


def run(
    config: NormalisedCollapseConfig, *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, list[list[float]]]]:
    """``readings[ending][reading][seed]``, a list over ``config.looks``; ``network_r2`` at the first and last look."""
    return {ending: _run_ending(config, ending, progress) for ending in config.endings}


def network_probe(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, width: int) -> float:
    """R² of a network of two hidden layers that reads targets from embeddings, every axis of the cloud at scale 1.

    Args:
        train, test: embeddings ``(samples, dim)`` and targets ``(samples, targets)``. width: of the hidden layers.
    """
    from sklearn.neural_network import MLPRegressor

    embeddings, targets = train[0].double(), train[1]
    variances, axes = torch.linalg.eigh(covariance(embeddings))
    scaled = axes / variances.clamp_min(variances.max() * 1e-12).sqrt()
    seen, judged = (((cloud.double() - embeddings.mean(0)) @ scaled).float().numpy() for cloud in (train[0], test[0]))
    probe = MLPRegressor(hidden_layer_sizes=(width, width), early_stopping=True, max_iter=400, random_state=0)
    return float(probe.fit(seen, targets.numpy()).score(judged, test[1].numpy()))


def _run_ending(config: NormalisedCollapseConfig, ending: str, progress) -> dict[str, list[list[float]]]:
    world = TwoViews(config.world)
    judges = tuple(world.sample(config.judged_samples, generator=seeded(place)) for place in (11, 12))
    generators = [seeded(1000 + seed) for seed in config.seeds]
    starts = [init_joint_embedding(config.network, generator=seeded(seed)) for seed in config.seeds]
    parameters = {"all": torch.stack(starts)}
    state, optimiser = AdamWState.of(parameters), AdamWConfig(learning_rate=config.learning_rate)
    readings: dict[str, list[list[float]]] = {name: [[] for _ in config.seeds] for name in (*READINGS, "network_r2")}

    def gradient(vector: Tensor, first: Tensor, second: Tensor) -> Tensor:
        return grad(lambda v: prediction(unpack(v, config.network), first, second, ending))(vector)

    for step in range(config.steps + 1):
        if step in config.looks:
            for seed, vector in enumerate(parameters["all"]):
                network = unpack(vector, config.network)
                for name, value in _look(network, judges, ending, config, last=step in (0, config.steps)).items():
                    readings[name][seed].append(value)
            progress(f"{ending} {step}: {[round(curve[-1], 3) for curve in readings['probe_r2']]}")
        pairs = [world.sample(config.batch_size, generator=generator) for generator in generators]
        views = (torch.stack([pair.first for pair in pairs]), torch.stack([pair.second for pair in pairs]))
        moved = {"all": vmap(gradient)(parameters["all"], *views)}
        parameters, state = adamw_step(parameters, moved, state, optimiser)
    return readings


def _look(
    network: Network,
    judges: tuple[TwoMoments, TwoMoments],
    ending: str,
    config: NormalisedCollapseConfig,
    *,
    last: bool,
) -> dict[str, float]:
    fitted, judged = ((encode(network, pairs.first, ending), pairs.state) for pairs in judges)
    seen = {
        "std": feature_std(judged[0]).mean().item(),
        "effective_rank": effective_rank(judged[0]),
        "prediction": prediction(network, judges[1].first, judges[1].second, ending).item(),
        "probe_r2": linear_probe(fitted, judged).r2,
    }
    if last and config.probe_width:
        seen["network_r2"] = network_probe(fitted, judged, width=config.probe_width)
    return seen


def values(readings: dict[str, dict[str, list[list[float]]]]) -> dict[str, float]:
    """``normalised.ending.reading`` at the end, mean and 95 % interval over seeds; ``normalised.untrained.reading``."""
    told: dict[str, float] = {}
    places = [("untrained", "plain", 0), *((ending, ending, -1) for ending in readings)]
    for name, ending, place in places:
        for reading, curves in readings[ending].items():
            if all(curves):
                told |= over_seeds(f"normalised.{name}.{reading}", [curve[place] for curve in curves])
    return told


def _layers(network: Network, first: int, end: int) -> Network:
    """Some of the encoder's layers as a network of their own."""
    return {
        f"{kind}_{place}": network[f"encoder.{kind}_{layer}"]
        for place, layer in enumerate(range(first, end))
        for kind in ("weight", "bias")
    }


def main() -> None:
    """Train all, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = NormalisedCollapseConfig()
    readings = run(config, progress=report)
    kept = values(readings)
    path = keep_result("normalised_collapse", config=config, values=kept, details={"readings": readings}, seed=0)
    print(f"{path.name}: {kept}")


if __name__ == "__main__":
    main()
