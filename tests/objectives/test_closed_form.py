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
