"""Rival targets: each shadow is that of the law, SIGReg is the Gaussian's case, and a target knows its own sample."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import ShapeError, random_directions, seeded, sigreg
from lewm_lite.objectives.rivals import RIVALS, SCORES, rival_named, rival_sample, rival_score

T = torch.linspace(0, 3, 17)[1:]


@pytest.mark.parametrize("shape", [(64, 5), (3, 2, 32, 5)])
def test_for_the_gaussian_it_is_sigreg_value_and_gradient(shape):
    generator = seeded(0)
    embeddings, directions = 1.3 * torch.randn(shape, generator=generator), random_directions(5, 9, generator=generator)
    for wanted, got in zip(
        torch.func.grad_and_value(sigreg)(embeddings, directions),
        torch.func.grad_and_value(SCORES["gaussian"])(embeddings, directions),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("target", RIVALS)
@pytest.mark.parametrize("dim", [2, 4, 16])
def test_a_shadow_is_that_of_a_large_sample(target, dim):
    generator = seeded(dim)
    directions = torch.cat([random_directions(dim, 5, generator=generator), torch.eye(dim)[:, :2]], 1)
    shadows = (rival_sample(100_000, dim, target=target, generator=generator) @ directions).double()
    angles = shadows[..., None] * T.double()
    real, imaginary = angles.cos().mean(0), angles.sin().mean(0)
    wanted = rival_named(target).shadow(directions, T)
    assert wanted.shape == (7, 16)
    chance = 5 / math.sqrt(100_000)  # five standard errors of a mean of cosines
    assert (real - wanted).abs().max() < chance
    assert imaginary.abs().max() < chance


def test_in_three_dimensions_a_sphere_casts_a_uniform_shadow():
    directions = random_directions(3, 4, generator=seeded(1))
    reach = math.sqrt(3) * T
    torch.testing.assert_close(RIVALS["sphere"].shadow(directions, T), (torch.sin(reach) / reach).expand(4, -1))


def test_in_two_dimensions_a_sphere_casts_a_bessel_function():
    directions = random_directions(2, 1, generator=seeded(1))
    wanted = torch.special.bessel_j0(math.sqrt(2) * T)
    torch.testing.assert_close(RIVALS["sphere"].shadow(directions, T)[0], wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("target", RIVALS)
def test_every_target_has_mean_0_and_the_total_variance_of_the_standard_gaussian(target):
    sample = rival_sample(100_000, 6, target=target, generator=seeded(2))
    assert sample.mean(0).abs().max() < 0.03
    assert math.isclose(sample.var(0).sum().item(), 6, rel_tol=0.02)


@pytest.mark.parametrize("dim", [4, 16])
def test_a_target_scores_its_own_sample_lowest(dim):
    generator = seeded(3)
    directions = random_directions(dim, 32, generator=generator)
    samples = {name: rival_sample(8192, dim, target=name, generator=generator) for name in RIVALS}
    for target, score in SCORES.items():
        scores = {name: score(sample, directions) for name, sample in samples.items()}
        own = scores.pop(target)
        assert min(scores.values()) > own + 0.4


@pytest.mark.parametrize("target", RIVALS)
@pytest.mark.parametrize("num_samples", [16, 256])
def test_the_floor_of_a_target_is_what_chance_alone_makes_and_the_same_at_any_n(target, num_samples):
    generator = seeded(5)
    directions = random_directions(4, 16, generator=generator)
    weights = 2 * 3 / 16 * torch.exp(-(T**2) / 2) * torch.where(T < 3, 1.0, 0.5)
    floor = (weights * (1 - RIVALS[target].shadow(directions, T) ** 2)).sum(-1).mean()
    batches = rival_sample(200 * num_samples, 4, target=target, generator=generator).view(200, num_samples, 4)
    scores = torch.stack([SCORES[target](batch, directions) for batch in batches])
    assert (scores.mean() - floor).abs() < 4 * scores.std() / 200**0.5
    assert 0.5 < floor < 1.7


def test_what_is_asked_depends_on_the_direction_where_the_law_is_not_isotropic():
    axis, diagonal = torch.eye(4)[:, :1], torch.full((4, 1), 0.5)
    for target, rival in RIVALS.items():
        differ = (rival.shadow(axis, T) - rival.shadow(diagonal, T)).abs().max() > 0.02
        assert bool(differ) is (target in ("stretched", "cube", "clumps"))


def test_it_trains_under_vmap_with_directions_of_their_own():
    generator = seeded(4)
    embeddings = torch.randn(3, 16, 4, generator=generator)
    directions = torch.stack([random_directions(4, 8, generator=generator) for _ in range(3)])
    for score in SCORES.values():
        together = torch.func.vmap(torch.func.grad(score))(embeddings, directions)
        alone = torch.stack([torch.func.grad(score)(*pair) for pair in zip(embeddings, directions, strict=True)])
        torch.testing.assert_close(together, alone)


def test_what_does_not_fit_is_refused_in_a_sentence():
    embeddings, directions = torch.zeros(4, 3), random_directions(3, 2, generator=seeded(0))
    with pytest.raises(ValueError, match="target must be one of gaussian, .*got 'torus'"):
        rival_score(embeddings, directions, target="torus")
    with pytest.raises(ShapeError):
        rival_score(embeddings, directions[:2], target="cube")
    with pytest.raises(ValueError, match="dim must be an integer of at least 2"):
        rival_sample(8, 1, target="sphere", generator=seeded(0))
