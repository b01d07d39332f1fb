"""Broken training steps, each caught by a law that the library's own step obeys."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, pack, unpack
from lewm_lite.objectives.directions import random_directions
from lewm_lite.training import joint_embedding
from lewm_lite.training.joint_embedding import OBJECTIVES, Training, side_by_side, training_step
from lewm_lite.training.step import AdamWConfig

CONFIG = JointEmbeddingConfig(observation_dim=6, hidden_dim=8, dim=4)
NAMES = ("none", "ema_stop_gradient", "ema_only", "stop_gradient_only", "variance_only", "vicreg", "sigreg")


def stepped(steps=60):
    """Every objective from one start on the same batches: what is left of each encoder's spread, and the parameters."""
    start = init_joint_embedding(CONFIG, generator=seeded(0))
    training, generator = Training.of(start.expand(len(NAMES), -1).clone()), seeded(1)
    objective = side_by_side([OBJECTIVES[name] for name in NAMES])
    first = torch.randn(steps, 64, 6, generator=generator)
    second = first + 0.3 * torch.randn(steps, 64, 6, generator=generator)
    for step in range(steps):
        directions = random_directions(4, 16, generator=generator)
        training, _ = training_step(
            training, first[step], second[step], directions, objective, config=CONFIG,
            optimiser=AdamWConfig(learning_rate=0.01),
        )  # fmt: skip
    embeddings = joint_embedding.embed(training.parameters, first[0], CONFIG)
    return start, training.parameters, dict(zip(NAMES, embeddings.std(1).mean(-1).tolist(), strict=True))


def violated():
    """The laws that a step breaks."""
    start, parameters, std = stepped()
    named = {name: unpack(vector, CONFIG) for name, vector in zip(NAMES, parameters, strict=True)}
    old = unpack(start, CONFIG)["teacher.weight_0"]
    laws = {
        "nothing against collapse, and it collapses": std["none"] < 0.06,
        "what asks for spread gets it": min(std["variance_only"], std["vicreg"], std["sigreg"]) > 0.5,
        "a stop-gradient holds it off": std["stop_gradient_only"] > 2 * std["none"],
        "a teacher lags behind": 0 < (named["ema_stop_gradient"]["teacher.weight_0"] - old).abs().max()
        < (named["ema_stop_gradient"]["encoder.weight_0"] - old).abs().max(),
        "without a teacher there is none": torch.equal(
            named["none"]["teacher.weight_0"], named["none"]["encoder.weight_0"]
        ),
        "objectives differ": len({round(value, 4) for value in std.values()}) == len(std),
    }  # fmt: skip
    return {law for law, obeyed in laws.items() if not obeyed}


def test_the_library_s_step_obeys_every_law():
    assert violated() == set()


def never_stopped(network, embeddings, second, objective):
    return WHOLE(network, embeddings, second, objective._replace(stop_gradient=0 * objective.stop_gradient))


def always_stopped(network, embeddings, second, objective):
    return WHOLE(network, embeddings, second, objective._replace(stop_gradient=0 * objective.stop_gradient + 1))


def no_prediction(network, embeddings, second, objective):
    return 0 * WHOLE(network, embeddings, second, objective)


def no_teacher(network, embeddings, second, objective):
    return WHOLE(network, embeddings, second, objective._replace(teacher=0 * objective.teacher))


WHOLE = joint_embedding.prediction_error
BROKEN = {
    "prediction_error": [never_stopped, always_stopped, no_prediction, no_teacher],
    "averaged": [
        lambda teacher, student, momentum: teacher,
        lambda teacher, student, momentum: student,
    ],
    "variance_hinge": [lambda embeddings: -embeddings.var(-2).mean() * 0],
    "sigreg": [lambda embeddings, directions: embeddings.mean() * 0],
    "pack": [lambda parameters, config: pack({k: v * 0 for k, v in parameters.items()}, config)],
}


@pytest.mark.parametrize(
    ("name", "broken"), [(name, broken) for name, variants in BROKEN.items() for broken in variants]
)
def test_a_broken_step_is_caught(monkeypatch, name, broken):
    if name == "sigreg":
        monkeypatch.setattr(joint_embedding.training_step, "__kwdefaults__", {
            **joint_embedding.training_step.__kwdefaults__, "score": broken,
        })  # fmt: skip
    else:
        monkeypatch.setattr(joint_embedding, name, broken)
    assert violated()
