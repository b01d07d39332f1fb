"""The report names the disease a cloud was given, at sizes where it can be seen, and none it was not given."""

from __future__ import annotations

import pytest
import torch
from without_float64 import on_accelerator

from lewm_lite import ShapeError, collapse_report, effective_rank, seeded
from lewm_lite.embeddings import clouds

EXPECTED = {
    "point": "complete",
    "line": "dimensional",
    "clumps": "clustered",
    "white_clumps": "clustered",
    "low_rank": "dimensional",
    "isotropic": "none",
}


def made(shape, samples, dim, seed):
    return clouds.SHAPES[shape](clouds.cloud_noise(samples, dim, generator=seeded(seed)))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("samples", "dim"), [(128, 2), (256, 16)])
@pytest.mark.parametrize("shape", EXPECTED)
def test_each_shape_has_its_disease(shape, samples, dim, seed):
    report = collapse_report(made(shape, samples, dim, seed))
    assert report.disease == EXPECTED[shape], report.words


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("samples", "dim"), [(64, 64), (100, 192), (1024, 32)])
def test_a_small_ideal_sample_is_not_called_ill(samples, dim, seed):
    """100 points in 192 dimensions lie in a flat of 99: that is the sample's size, not the law's fault."""
    assert collapse_report(made("isotropic", samples, dim, 100 + seed)).disease == "none"


def test_ten_live_of_64_are_dead_dimensions_also_when_they_are_turned():
    generator = seeded(0)
    turn = torch.linalg.qr(torch.randn(64, 64, generator=generator)).Q
    cloud = torch.randn(512, 64, generator=generator)
    cloud[:, 10:] *= 0.01
    report = collapse_report(cloud @ turn)
    assert report.disease == "dimensional" and "54 of 64" in report.words
    assert report.effective_rank == pytest.approx(effective_rank(cloud), rel=1e-3)


def test_variance_on_few_axes_with_none_dead_is_dimensional_too():
    cloud = torch.randn(2048, 16, generator=seeded(0)) * torch.linspace(2.2, 0.6, 16).exp() / 4
    report = collapse_report(cloud)
    assert report.disease == "dimensional" and "crowds on few axes" in report.words


def test_unequal_groups_are_clusters_too():
    generator = seeded(1)
    cloud = 0.2 * torch.randn(400, 4, generator=generator)
    cloud[:60] += 3.0
    assert collapse_report(cloud).disease == "clustered"


@pytest.mark.parametrize("shape", ["ring", "heavy_tailed"])
def test_another_law_is_no_disease_but_is_said(shape):
    report = collapse_report(made(shape, 256, 2, 0))
    assert report.disease == "none" and "not N(0, I)" in report.words


def test_a_far_away_point_is_complete_collapse():
    assert collapse_report(torch.full((64, 8), 1000.0)).disease == "complete"


def test_what_is_not_a_cloud_is_refused():
    with pytest.raises(ShapeError, match=r"embeddings must be \(samples, dim\)"):
        collapse_report(torch.randn(2, 8, 3))
    with pytest.raises(ShapeError, match="at least 2 samples"):
        collapse_report(torch.randn(1, 3))
    with pytest.raises(ValueError, match="NaN"):
        collapse_report(torch.full((4, 2), float("nan")))
    with pytest.raises(TypeError, match="floating-point"):
        collapse_report(torch.ones(4, 2, dtype=torch.long))


def test_a_cloud_on_an_accelerator_is_judged_as_on_the_cpu():
    cloud = made("clumps", 64, 3, 0)
    assert collapse_report(on_accelerator(cloud)) == collapse_report(cloud)
