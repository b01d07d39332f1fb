"""A uniform shadow from every side exists in two and three dimensions and not beyond; a bell curve's in all."""

import numpy as np
import pytest
import torch

from lewm_lite import seeded
from lewm_lite.experiments.uniform_shadows import bell_law, radial_fit, sphere_law, uniform_law


@pytest.mark.parametrize("dim", [2, 3, 4, 9])
def test_a_sphere_casts_the_shadow_that_is_said(dim):
    points = torch.randn(200_000, dim, generator=seeded(dim))
    shadow = (2 * points[:, 0] / points.norm(dim=1)).abs().numpy()
    places = np.array([0.3, 1.0, 1.7, 2.5])
    counted = (shadow[:, None] <= places).mean(0)
    np.testing.assert_allclose(sphere_law(places, np.array([2.0]), dim)[:, 0], counted, atol=0.005)


def test_the_wanted_shadows_have_variance_1():
    x = np.linspace(0, 8, 200_001)
    for law in (uniform_law, bell_law):
        assert np.trapezoid(2 * x * (1 - law(x)), x) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("dim", "fits"), [(2, True), (3, True), (4, False), (5, False), (16, False)])
def test_uniform_from_every_side_ends_after_three_dimensions(dim, fits):
    assert (radial_fit(uniform_law, dim).gap < 1e-6) == fits


def test_in_space_it_is_archimedes_sphere_alone():
    fit = radial_fit(uniform_law, 3)
    assert fit.radii[fit.shares > 1e-6].tolist() == pytest.approx([3**0.5])


@pytest.mark.parametrize("dim", [2, 3, 16, 192])
def test_the_bell_curve_fits_everywhere(dim):
    fit = radial_fit(bell_law, dim)
    assert fit.gap < 1e-6 and fit.shares.min() >= 0
    assert fit.shares.sum() == pytest.approx(1)
    assert (fit.shares @ fit.radii**2) == pytest.approx(dim, rel=0.01)


def test_the_plane_is_the_least():
    with pytest.raises(ValueError, match="dim"):
        radial_fit(bell_law, 1)
