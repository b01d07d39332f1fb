"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import pytest
import torch

from lewm_lite.chapters.collapse_exercises import check_collapsed_start, check_escape_steps, check_shrunken_loss
from lewm_lite.experiments.escape import EscapeConfig, collapsed_encoder
from lewm_lite.model.joint_embedding import unpack


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Not yet"),
        (0.004, "Right"),
        (0.04, "what does the loss do with it"),
        (0.4, "does not look at the cloud"),
        (0.0, "Not 0"),
    ],
)
def test_the_shrunken_loss_gets_a_fitting_answer(answer, words):
    assert words in check_shrunken_loss(answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [(None, "Not yet"), (295, "Right"), (25, "More"), (1e6, "Far fewer"), (247, "how many hundredths")],
)
def test_the_number_of_steps_gets_a_fitting_answer(answer, words):
    assert words in check_escape_steps(answer)


def test_from_a_point_there_is_no_number_of_steps():
    assert "not back after 1000 steps" in check_escape_steps(1000, noise=0.0)


def given(noise=0.0, **changes):
    config = EscapeConfig()
    network = unpack(collapsed_encoder(config, 0, noise), config.network)
    return network | {f"encoder.{name}": value for name, value in changes.items()}


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (None, "Not yet"),
        ({}, "lacks encoder.bias_0"),
        (given(1e-6), "not collapsed"),
        (given(), "and stays"),
        (given(bias_0=torch.full((64,), 0.5)), "and stays"),
        (given(bias_2=torch.full((16,), 0.5)), "Right"),
    ],
    ids=["none", "empty", "a little noise", "at 0", "still at 0", "away from 0"],
)
def test_the_collapsed_start_gets_a_fitting_answer(network, words):
    assert words in check_collapsed_start(network, steps=60)
