"""What the collapse arena computes: a start, and the library's own training step of five encoders with what it shows.

Forward, backward, optimiser and teacher are those of :mod:`lewm_lite.training.joint_embedding`; the plugs are the
switches and weights of its objectives.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import effective_rank_of, feature_std
from lewm_lite.embeddings.principal import follow_axes
from lewm_lite.judging.probing import probe_along_axes
from lewm_lite.labs.noise import pick_normal
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, from_uniform
from lewm_lite.objectives.sigreg import Score, sigreg
from lewm_lite.training.joint_embedding import OBJECTIVES, Objective, Training, embed, training_step
from lewm_lite.training.step import AdamWConfig
from lewm_lite.world.two_views import TwoMoments, TwoViews, TwoViewsConfig

ENCODERS = ("none", "ema_stop_gradient", "variance_only", "vicreg", "sigreg")
SEEDS, HELD_OUT, DRAWN = 8, 512, 128
OPTIMISER = AdamWConfig(learning_rate=1e-3)
WORLD = TwoViews(TwoViewsConfig())
KEYS = 4  # of noise, per step and seed: what is behind the batch, the eye's noise, directions, and first weights


def config_of(dim: int) -> JointEmbeddingConfig:
    """The networks at one embedding dimension; the rest is as in the experiments."""
    return JointEmbeddingConfig(dim=dim)


def arena_start(table: Tensor, seed: Tensor, first: Tensor, unturned: Tensor) -> dict[str, Tensor]:
    """Five encoders with the seed's start: parameters, Adam's moments, the principal axes of ``first``'s embeddings.

    ``unturned`` is the identity ``(dim, dim)``; its size says which embedding dimension is wanted.
    """
    config = config_of(int(unturned.shape[0]))
    training = Training.of(first_parameters(table, seed, config).expand(len(ENCODERS), -1).clone())
    axes, _ = follow_axes(embed(training.parameters, first, config), unturned.expand(len(ENCODERS), -1, -1))
    return {**training._asdict(), "axes": axes}


def first_parameters(table: Tensor, seed: Tensor, config: JointEmbeddingConfig) -> Tensor:
    """The seed's untrained model, ``(parameters,)``, of numbers picked from ``table``."""
    rows = torch.arange(config.num_drawn(), dtype=torch.float32)
    normal = pick_normal(table, rows, 1, key=seed * KEYS + 3)[:, 0]
    even = torch.erf(normal / math.sqrt(2))  # the normal law's distribution function makes it so
    return from_uniform(even, config)


def objectives_of(weight: Tensor, plugs: dict[str, Tensor]) -> Objective:
    """The five objectives as they stand: λ, and which plugs are in (1) or pulled (0)."""
    off = torch.zeros_like(weight)
    vicreg = OBJECTIVES["vicreg"]
    return Objective(
        sigreg=torch.stack([off, off, off, off, weight * plugs["sigreg"]]),
        variance=torch.stack([off, off, plugs["variance"], vicreg.variance * plugs["vicreg"], off]),
        covariance=torch.stack([off, off, off, vicreg.covariance * plugs["vicreg"], off]),
        unbounded_variance=torch.stack([off] * len(ENCODERS)),
        teacher=torch.stack([off, plugs["ema"], off, off, off]),
        stop_gradient=torch.stack([off, plugs["stop_gradient"], off, off, off]),
    )


def arena_step(
    *,
    parameters: Tensor,
    running_mean: Tensor,
    running_square: Tensor,
    steps: Tensor,
    axes: Tensor,
    table: Tensor,
    samples: Tensor,
    lines: Tensor,
    seed: Tensor,
    first: Tensor,
    state: Tensor,
    weight: Tensor,
    score: Score = sigreg,
    **plugs: Tensor,
) -> dict[str, Tensor]:
    """One training step of all five, and what they are before it.

    Args:
        parameters, running_mean, running_square, steps, axes: where the last step left them.
        table: normal numbers to pick from. samples, lines: ``(batch,)`` and ``(directions,)``, 0, 1, 2, …
        seed: a whole number. first, state: held-out observations ``(samples, observation_dim)`` and the states behind
            them; a probe is fitted on the first half and judged on the second, whose first samples are drawn.
        weight: λ. plugs: ``ema``, ``stop_gradient``, ``variance``, ``vicreg``, ``sigreg``: 1 if in, 0 if pulled.
    Returns:
        The next state; ``cloud`` (5, samples, 2) along the two widest axes; ``spectrum`` (5, dim), largest first;
        ``left_out`` (5,), the share of variance that the cloud's picture does not show; and the readings.
    """
    config = config_of(int(axes.shape[-1]))
    pairs, directions = batch_of(steps, seed, table, samples, lines, config.dim)
    training = Training(parameters, running_mean, running_square, steps)
    objective = objectives_of(weight, plugs)
    after, terms = training_step(
        training, pairs.first, pairs.second, directions, objective, config=config, optimiser=OPTIMISER, score=score
    )
    drawn, readings = read_encoders(embed(parameters, first, config), axes, state)
    readings["prediction"] = terms.prediction
    named = {
        f"{name}_{quantity}": values[place]
        for place, name in enumerate(ENCODERS)
        for quantity, values in readings.items()
    }
    return {**after._asdict(), **drawn, **named}


def batch_of(
    steps: Tensor, seed: Tensor, table: Tensor, samples: Tensor, lines: Tensor, dim: int
) -> tuple[TwoMoments, Tensor]:
    """The pairs of observations and the directions, ``(dim, directions)``, of a seed after so many steps."""
    key = (steps.round() * SEEDS + seed) * KEYS
    behind, of_looks = WORLD.noise_dims
    hidden = pick_normal(table, samples, behind, key=key)
    pairs = WORLD.moments(hidden, pick_normal(table, samples, of_looks, key=key + 1))
    drawn = pick_normal(table, lines, dim, key=key + 2)
    return pairs, (drawn / drawn.square().sum(1, keepdim=True).sqrt()).mT


def read_encoders(embeddings: Tensor, axes: Tensor, state: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The axes a little further and what is drawn along them; and the readings, ``(encoders,)`` each.

    Args:
        embeddings: ``(encoders, samples, dim)``. axes: where the last call left them. state: ``(samples, state_dim)``.
    """
    axes, seen = follow_axes(embeddings, axes)
    spectrum, order = torch.sort(seen.square().mean(1), dim=-1, descending=True)
    half, total = seen.shape[1] // 2, spectrum.sum(-1)
    readings = {
        "std": feature_std(embeddings).mean(-1),
        "effective_rank": effective_rank_of(spectrum),
        "probe_r2": probe_along_axes(seen, state),
    }
    drawn = {
        "axes": axes,
        "cloud": torch.gather(seen[:, half : half + DRAWN], 2, order[:, None, :2].expand(-1, DRAWN, 2)),
        "spectrum": spectrum,
        "left_out": 1 - spectrum[:, :2].sum(-1) / torch.where(total > 0, total, torch.ones_like(total)),
    }
    return drawn, readings
