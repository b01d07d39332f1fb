"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.chapters.variance_exercises import check_fools_vicreg, check_forgery, check_hinge, fixed_judge
from lewm_lite.embeddings import clouds

NOISE = clouds.cloud_noise(512, 2, generator=seeded(1))
IDEAL = torch.randn(512, 16, generator=seeded(2))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Not yet"),
        ({"line", "clumps", "white_clumps"}, "Right: line, clumps, white_clumps"),
        (["white_clumps", "clumps", "line"], "Right"),
        ({"line", "clumps", "white_clumps", "axis_line"}, "axis_line does not"),
        ({"line", "clumps", "white_clumps", "point"}, "0.01 and 0.01"),
        ({"clumps", "white_clumps"}, "line does too"),
        ("line", "clumps does too"),
        (set(), "line does too"),
        ({"circle"}, "not among them"),
    ],
)
def test_the_hinge_gets_a_fitting_answer(answer, words):
    assert words in check_hinge(answer)


@pytest.mark.parametrize(
    ("cloud", "words"),
    [
        (None, "Not yet"),
        (NOISE, "must be (512, 2)"),
        (torch.full((512, 2), math.nan), "finite"),
        (clouds.white_clumps(NOISE), "Right"),
        (clouds.ring(NOISE), "Right"),
        (clouds.axis_line(NOISE), "Variance is not content"),
        (0.5 * clouds.isotropic(NOISE), "Variance is not content"),
        (clouds.clumps(NOISE), "Covariance is not content"),
        (clouds.isotropic(NOISE), "SIGReg is content too"),
    ],
    ids=["none", "shape", "nan", "white clumps", "ring", "axis line", "small", "clumps", "healthy"],
)
def test_the_cloud_for_vicreg_gets_a_fitting_answer(cloud, words):
    assert words in check_fools_vicreg(cloud)


@pytest.mark.parametrize(
    ("cloud", "words"),
    [
        (None, "Not yet"),
        (IDEAL[:, :4], "must be (512, 16)"),
        (IDEAL / 0 * 0, "finite"),
        (IDEAL @ fixed_judge() @ torch.linalg.pinv(fixed_judge()), "Right"),
        (IDEAL, "too healthy"),
        (0 * IDEAL, "Along its four directions"),
        (IDEAL @ fixed_judge() @ fixed_judge().mT, "Along its four directions"),
    ],
    ids=["none", "shape", "nan", "projected", "healthy", "point", "transposed for inverse"],
)
def test_the_forgery_gets_a_fitting_answer(cloud, words):
    assert words in check_forgery(cloud)
