"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite.chapters.dimensions_exercises import (
    check_effective_rank,
    check_hidden_rank,
    check_samples_for_ten_dead,
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Not yet"),
        (2**1.5, "Right"),
        (2.67, "participation ratio"),
        (3, "do not share it equally"),
        (1.04, "natural logarithms"),
        (1.5, "base 2"),
        (4, "Not 4"),
    ],
)
def test_the_effective_rank_gets_a_fitting_answer(answer, words):
    assert words in check_effective_rank(answer)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (None, "Not yet"),
        (1, "choose between"),
        (5000, "choose between"),
        (128, "more are needed"),
        (1024, "more are needed"),
        (2048, "Right"),
        (4096, "fewer would do"),
    ],
)
def test_the_number_of_samples_gets_a_fitting_answer(samples, words):
    assert words in check_samples_for_ten_dead(samples, repeats=25)


def scaled(variance, *, live=8):
    def shape(noise):
        return torch.cat([math.sqrt(variance) * noise[:, :live], 0 * noise[:, live:]], dim=1)

    return shape


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (None, "Not yet"),
        (scaled(8.0), "Right: rank 8"),
        (scaled(1.0), "add up to 8:"),
        (scaled(24.0), "add up to 19"),
        (scaled(1.0, live=64), "rank 64"),
        (lambda noise: noise[:, :8], "shape of the noise"),
        (lambda noise: noise / 0, "finite"),
    ],
    ids=["none", "full energy", "unit variance", "too wide", "not low-rank", "wrong shape", "infinite"],
)
def test_the_hidden_rank_gets_a_fitting_answer(shape, words):
    assert words in check_hidden_rank(shape, repeats=40)


def test_a_turned_cloud_is_as_good():
    turn = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(0))).Q
    assert "Right" in check_hidden_rank(lambda noise: scaled(8.0)(noise) @ turn, repeats=40)
