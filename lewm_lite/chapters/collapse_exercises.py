"""Checkers for the exercises of chapter 01: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from lewm_lite.experiments.escape import EscapeConfig, adam, escape_of_cloud, escape_of_encoders, steps_until_back
from lewm_lite.model.joint_embedding import pack
from lewm_lite.model.mlp import mlp
from lewm_lite.seeding import seeded
from lewm_lite.world.two_views import TwoViews, TwoViewsConfig


def check_shrunken_loss(answer: float | None) -> str:
    """Exercise 1: the loss of an encoder after all its embeddings were multiplied by 0.1, the predictor being linear.

    Args:
        answer: the new loss, where the old one is 0.4.
    """
    if answer is None:
        return "Not yet: put a number in the place of None."
    generator = seeded(4)
    here, noise = (torch.randn(512, 16, generator=generator) for _ in range(2))
    matrix = torch.randn(16, 16, generator=generator) / 4
    there = here @ matrix + noise * 0.4**0.5 / noise.square().mean().sqrt()
    old = (here @ matrix - there).square().mean().item()
    new = ((0.1 * here) @ matrix - 0.1 * there).square().mean().item()
    if abs(answer - new) <= 0.02 * new:
        return f"Right: a linear predictor on 512 pairs had a loss of {old:.3g}, and has {new:.3g} now."
    if abs(answer - old) <= 0.02 * old:
        return "The error is as large as before beside the cloud, but the loss does not look at the cloud."
    if abs(answer - 0.1 * old) <= 0.02 * old:
        return "Prediction and target both shrink by 0.1, and so does their difference; what does the loss do with it?"
    return f"Not {answer:g}: write down prediction less target, before and after, and square both."


def check_escape_steps(answer: float | None, *, noise: float = 1e-12) -> str:
    """Exercise 2: how many steps free points take to come back, from a standard deviation that the table leaves out."""
    if answer is None:
        return "Not yet: put a number of steps in the place of None."
    config = EscapeConfig(seeds=(0,))
    truth = steps_until_back(escape_of_cloud(config, 0, noise)[0], config)
    if truth is None:
        return f"From a standard deviation of {noise:g} the points are not back after {config.most_steps} steps."
    if abs(answer - truth) <= 0.05 * truth:
        return f"Right: the points take {truth} steps."
    if answer > 5 * truth:
        return (
            "Far fewer: the way back is a growth by a constant factor per step, so its length goes with the logarithm."
        )
    if answer < 0.6 * truth:
        return "More: these points move by plain descent, whose steps near the point are as small as the cloud itself."
    return f"Not {answer:g}: how many steps more does a hundredth of the noise cost, and how many hundredths are there?"


def check_collapsed_start(network: Mapping[str, Tensor] | None, *, steps: int = 100) -> str:
    """Exercise 3: an encoder whose embeddings are all the same, exactly, and which SIGReg brings back all the same.

    Args:
        network: parameters by name, as :func:`lewm_lite.model.joint_embedding.unpack` gives them.
        steps: of Adam, on prediction + λ·SIGReg, that it has.
    """
    if network is None:
        return "Not yet: put the parameters of an encoder in the place of None."
    config = replace(EscapeConfig(), most_steps=steps)
    missing = sorted(config.network.shapes().keys() - network.keys())
    if missing:
        return f"The network lacks {missing[0]}: take the one that is given, and change it."
    observations = TwoViews(TwoViewsConfig()).sample(512, generator=seeded(3)).first
    embeddings = mlp(network, observations, prefix="encoder.")
    apart = (embeddings - embeddings[0]).abs().max().item()
    if apart > 0:
        return f"This encoder is not collapsed: two of its embeddings lie {apart:.2g} apart in a coordinate."
    curves, _ = escape_of_encoders(config, pack(dict(network), config.network)[None], adam(1e-3), seeds=(0,))
    back = steps_until_back(curves[0], config)
    if back is None:
        return (
            f"Collapsed it is, and stays: after {steps} steps of Adam the standard deviation is {curves[0][-1]:.2g}. "
            "Where does the point sit, and what does SIGReg's gradient do there?"
        )
    return f"Right: all embeddings are equal to the last bit, and after {back} steps of Adam the cloud is back."
