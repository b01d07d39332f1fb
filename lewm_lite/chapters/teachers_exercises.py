"""Checkers for the exercises of chapter 05: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, predicted, unpack
from lewm_lite.model.mlp import mlp
from lewm_lite.seeding import seeded
from lewm_lite.training.joint_embedding import Objective, joint_embedding_loss

PARAMETERS_MB, PER_FRAME_MB, PAIRS = 300, 12, 128  # the second exercise's encoder and batch


def check_half_life(steps: float | None) -> str:
    """Exercise 1: after how many steps a teacher with momentum 0.99 holds half of its first weights."""
    if steps is None:
        return "Not yet: put a number of steps in the place of None."
    truth = math.log(0.5) / math.log(0.99)
    if abs(steps - truth) <= 0.6:
        return f"Right: 0.99 to the power {truth:.0f} is {0.99 ** round(truth):.3f}."
    if abs(steps - 50) <= 0.5:
        return "50 would be right if each step took 1 % of the first weights: it takes 1 % of what is left."
    if abs(steps - 100) <= 0.5:
        return "After 100 steps 37 % of the first weights are left, a share of 1/e: half is reached sooner."
    return f"Not {steps:g}: after k steps the share 0.99^k is left. For which k is that a half?"


def check_memory_ratio(ratio: float | None) -> str:
    """Exercise 2: the memory of a training step with a teacher, over that of one encoder whose target has gradient."""
    if ratio is None:
        return "Not yet: put a ratio in the place of None."
    kept = PAIRS * PER_FRAME_MB  # of one frame of every pair
    one, both = 4 * PARAMETERS_MB + 2 * kept, 5 * PARAMETERS_MB + kept
    if abs(ratio - both / one) <= 0.01:
        return f"Right: {both} MB with the teacher and {one} MB without, a ratio of {both / one:.2f}."
    if abs(ratio - one / both) <= 0.01:
        return "That is one encoder over encoder and teacher: asked for is the other way round."
    hints = {
        2.0: "That would be so if weights were all there is, as when both encoders only look.",
        1.25: "That is the ratio of weights and what belongs to them: activations are the larger part here.",
        (both + kept) / one: "The teacher's pass has no backward: its activations are not kept.",
        (8 * PARAMETERS_MB + 2 * kept) / one: "A teacher has no gradient, no moments, and keeps no activations.",
    }
    for wrong, hint in hints.items():
        if abs(ratio - wrong) <= 0.01:
            return hint
    return f"Not {ratio:g}: count weights, gradients, two moments, and the activations of frames with a backward pass."


def check_leaking_target(leaking: Callable[[Tensor, float], Tensor] | None) -> str:
    """Exercise 3: a target of the same value through which only a share of the gradient passes."""
    if leaking is None:
        return "Not yet: write the function and pass it in."
    config = JointEmbeddingConfig(observation_dim=6, hidden_dim=5, dim=3)
    generator = seeded(5)
    vector = init_joint_embedding(config, generator=generator)
    first, second = (torch.randn(8, config.observation_dim, generator=generator) for _ in range(2))
    directions = torch.eye(config.dim)

    def theirs(vector: Tensor, share: float) -> Tensor:
        objective = Objective(stop_gradient=1 - share)
        return joint_embedding_loss(unpack(vector, config), first, second, directions, objective)[0]

    def ours(vector: Tensor, share: float) -> Tensor:
        network = unpack(vector, config)
        here, there = (mlp(network, moment, prefix="encoder.") for moment in (first, second))
        return (predicted(network, here) - leaking(there, share)).square().mean()

    for share in (1.0, 0.0, 0.25):
        slope, value = torch.func.grad_and_value(ours)(vector, share)
        wanted, level = torch.func.grad_and_value(theirs)(vector, share)
        if not torch.allclose(value, level, rtol=1e-4):
            return f"At share {share:g} the loss is {value:.4f} instead of {level:.4f}: the target's value must stay."
        if not torch.allclose(slope, wanted, rtol=1e-4, atol=1e-6):
            off = ((slope - wanted).norm() / wanted.norm()).item()
            return f"At share {share:g} the gradient is off by {off:.0%} of its length: does the value leak as well?"
    return "Right: value and gradient are the library's at the shares 1, 0 and 0.25."
