"""The statistic without knots and without drawn directions: quadrature, many directions, Kummer's function agree."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.special import hyp1f1

from lewm_lite import ShapeError, epps_pulley, random_directions, seeded, sigreg
from lewm_lite.objectives.closed_form import (
    epps_pulley_closed_form,
    sigreg_closed_form,
    sigreg_over_all_directions,
)


def cloud(num_samples=24, dim=4, *leading, seed=0):
    normal = torch.randn(*leading, num_samples, dim, generator=seeded(seed), dtype=torch.float64)
    return normal * torch.linspace(0.3, 1.6, dim, dtype=torch.float64) + 0.2


def test_a_shadow_scores_what_many_knots_far_out_say():
    shadows = cloud(24, 5, 2)
    wanted = epps_pulley(shadows, knots=2001, t_max=12.0)
    torch.testing.assert_close(epps_pulley_closed_form(shadows), wanted, rtol=1e-9, atol=0)


def test_a_shadow_collapsed_at_0_scores_0_40892_n_where_17_knots_say_0_40205():
    zeros = torch.zeros(50, 1, dtype=torch.float64)
    exact = math.sqrt(2 * math.pi) * (1 - math.sqrt(2) + 1 / math.sqrt(3))
    assert math.isclose(epps_pulley_closed_form(zeros).item() / 50, exact, rel_tol=1e-12)
    assert abs(exact - 0.40892) < 5e-6 and abs(epps_pulley(zeros).item() / 50 - 0.40205) < 5e-6


@pytest.mark.parametrize("dim", [2, 3, 4, 16, 256])
def test_averaged_over_all_directions_it_is_kummers_function(dim):
    embeddings = cloud(12, dim) * 2
    apart, lengths = torch.cdist(embeddings, embeddings).numpy(), embeddings.norm(dim=1).numpy()
    pairs = hyp1f1(0.5, dim / 2, -(apart**2) / 2).mean()
    singles = hyp1f1(0.5, dim / 2, -(lengths**2) / 4).mean()
    wanted = math.sqrt(2 * math.pi) * 12 * (pairs - math.sqrt(2) * singles + 1 / math.sqrt(3))
    assert math.isclose(sigreg_closed_form(embeddings).item(), wanted, rel_tol=1e-9)


@pytest.mark.parametrize("dim", [2, 3, 16])
def test_many_drawn_directions_come_to_the_average_over_all(dim):
    embeddings, count = cloud(24, dim), 40_000
    directions = random_directions(dim, count, generator=seeded(dim)).double()
    for statistics, average in (
        (epps_pulley(embeddings @ directions), sigreg_over_all_directions(embeddings)),
        (
            epps_pulley(embeddings @ directions, knots=5, t_max=2.0),
            sigreg_over_all_directions(embeddings, knots=5, t_max=2.0),
        ),
        (epps_pulley_closed_form(embeddings @ directions[:, :4000]), sigreg_closed_form(embeddings)),
    ):
        error = statistics.std() / math.sqrt(len(statistics))
        assert (statistics.mean() - average).abs() < 4 * error


def test_in_the_plane_evenly_spaced_directions_give_the_average_exactly():
    embeddings = cloud(24, 2)
    angles = torch.arange(400, dtype=torch.float64) * (math.pi / 400)
    compass = torch.stack([angles.cos(), angles.sin()])
    torch.testing.assert_close(sigreg(embeddings, compass), sigreg_over_all_directions(embeddings), rtol=1e-12, atol=0)
    exact = epps_pulley_closed_form(embeddings @ compass).mean()
    torch.testing.assert_close(exact, sigreg_closed_form(embeddings), rtol=1e-12, atol=0)


def test_with_many_knots_the_two_averages_meet():
    embeddings = cloud()
    torch.testing.assert_close(
        sigreg_over_all_directions(embeddings, knots=401, t_max=12.0), sigreg_closed_form(embeddings), rtol=1e-9, atol=0
    )


@pytest.mark.parametrize("average", [sigreg_closed_form, sigreg_over_all_directions])
def test_turning_the_cloud_changes_nothing_and_shifting_it_does(average):
    embeddings = cloud()
    turn = torch.linalg.qr(torch.randn(4, 4, generator=seeded(1), dtype=torch.float64)).Q
    torch.testing.assert_close(average(embeddings @ turn), average(embeddings))
    assert average(embeddings + 1) > average(embeddings) + 0.5


@pytest.mark.parametrize("average", [sigreg_closed_form, sigreg_over_all_directions])
def test_batches_are_averaged_alone_and_the_gradient_is_that_of_finite_differences(average):
    batch = cloud(6, 3, 2)
    torch.testing.assert_close(average(batch), torch.stack([average(one) for one in batch]))
    assert torch.autograd.gradcheck(average, batch.clone().requires_grad_(), fast_mode=True)


def test_points_that_coincide_have_a_finite_gradient():
    embeddings = torch.cat([cloud(4, 3), cloud(4, 3), torch.zeros(1, 3)])
    assert torch.isfinite(torch.func.grad(sigreg_closed_form)(embeddings)).all()


@pytest.mark.parametrize("average", [sigreg_closed_form, sigreg_over_all_directions, epps_pulley_closed_form])
def test_single_precision_loses_no_digits_far_from_the_centre(average):
    narrow = 0.01 * torch.randn(256, 8, generator=seeded(0)) + 1000
    clumps = torch.randn(256, 8, generator=seeded(1)) + torch.tensor([0.0, 80.0]).repeat(128)[:, None]
    for embeddings in (narrow, clumps, torch.randn(256, 8, generator=seeded(2))):
        found = average(embeddings)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), average(embeddings.double()), rtol=2e-7, atol=0)
    if average is sigreg_closed_form:
        assert math.isclose(average(narrow).item(), 1012.12, rel_tol=1e-4)


@pytest.mark.parametrize("average", [sigreg_closed_form, sigreg_over_all_directions, epps_pulley_closed_form])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_as_single_is(average, dtype):
    embeddings = cloud().to(dtype)
    assert torch.equal(average(embeddings), average(embeddings.float()))


@pytest.mark.parametrize("dim", [1500, 4096, 100_000])
def test_it_holds_in_thousands_of_dimensions(dim):
    embeddings = cloud(6, dim) * torch.tensor(30 / dim**0.5)
    apart, lengths = torch.cdist(embeddings, embeddings).numpy(), embeddings.norm(dim=1).numpy()
    pairs, singles = (hyp1f1(0.5, dim / 2, -far).mean() for far in (apart**2 / 2, lengths**2 / 4))
    wanted = math.sqrt(2 * math.pi) * 6 * (pairs - math.sqrt(2) * singles + 1 / math.sqrt(3))
    assert math.isclose(sigreg_closed_form(embeddings).item(), wanted, rel_tol=1e-9)


@pytest.mark.parametrize(("far", "tolerance"), [(30, 1e-12), (100, 5e-7), (1000, 0.05)])
@pytest.mark.parametrize("dim", [2, 8, 4096])
def test_it_is_as_exact_as_it_says_by_distance(dim, far, tolerance):
    ahead = torch.zeros(2, dim, dtype=torch.float64)
    ahead[1, 0] = far
    near, away = (hyp1f1(0.5, dim / 2, -(far**2) / share) for share in (2, 4))
    wanted = math.sqrt(2 * math.pi) * 2 * ((1 + near) / 2 - math.sqrt(2) * (1 + away) / 2 + 1 / math.sqrt(3))
    assert math.isclose(sigreg_closed_form(ahead).item(), wanted, rel_tol=tolerance)


def test_a_wrong_kernel_or_a_wrong_share_would_be_noticed():
    """The average over a cube's corners' directions, or Kummer's function of another dimension, is another number."""
    embeddings, average = cloud(24, 3), sigreg_over_all_directions(cloud(24, 3)).item()
    corners = torch.tensor([[x, y, 1.0] for x in (-1, 1) for y in (-1, 1)], dtype=torch.float64).mT / math.sqrt(3)
    assert not math.isclose(sigreg(embeddings, corners).item(), average, rel_tol=0.02)
    padded = torch.cat([embeddings, torch.zeros(24, 1)], 1)
    assert not math.isclose(sigreg_over_all_directions(padded).item(), average, rel_tol=0.02)


def test_what_does_not_fit_is_refused_in_a_sentence():
    with pytest.raises(ShapeError, match="at least 2 dimensions to have directions to average over, got 1"):
        sigreg_closed_form(torch.zeros(4, 1))
    with pytest.raises(ShapeError, match="embeddings needs at least 2 samples"):
        sigreg_over_all_directions(torch.zeros(1, 3))
    with pytest.raises(ShapeError, match=r"projections must be \(\*leading, samples, num_directions\)"):
        epps_pulley_closed_form(torch.zeros(4))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"knots": 1}, "knots must be an integer of at least 3, got 1"),
        ({"knots": 2}, "knots must be an integer of at least 3, got 2"),
        ({"knots": 16}, "knots must be odd, as in the authors' code, got 16: try 17"),
        ({"t_max": -1.0}, "t_max must be a finite number above 0, got -1.0"),
        ({"t_max": math.nan}, "t_max must be a finite number above 0, got nan"),
    ],
    ids=str,
)
def test_a_grid_that_is_none_is_refused_as_in_epps_pulley(given, message):
    for score in (sigreg_over_all_directions, epps_pulley):
        with pytest.raises(ValueError, match=message):
            score(cloud(), **given)
