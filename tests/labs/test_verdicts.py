"""Each judge is the library's own function, and is content with what the standard Gaussian gives, not with less."""

import math

import pytest
import torch

from lewm_lite import covariance_penalty, epps_pulley, seeded, sigreg, variance_hinge
from lewm_lite.embeddings.clouds import SHAPES, cloud_noise
from lewm_lite.labs.fool_the_variance import HELD_OUT, NUM_SAMPLES
from lewm_lite.labs.verdicts import IDEAL_SHARE, compass, content_levels, judge_scores

SIZES = (64, 512)


def gaussian(count, *, seed):
    return torch.randn(count, 2, generator=seeded(seed))


def content(name, *, num_samples=512, seed=0):
    """Who is content with a shape: variance, covariance, SIGReg."""
    points = SHAPES[name](cloud_noise(num_samples, 2, generator=seeded(seed)))
    return (judge_scores(points, compass(HELD_OUT))[0] <= content_levels(num_samples)).tolist()


def test_the_compass_has_unit_directions_evenly_spaced_over_half_a_turn():
    rows = compass(8)
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(8))
    torch.testing.assert_close((rows[:-1] * rows[1:]).sum(1), torch.full((7,), math.cos(math.pi / 8)))
    assert (rows[0] * rows[-1]).sum().item() == pytest.approx(math.cos(7 * math.pi / 8), abs=1e-6)


def test_each_score_is_the_library_s_own():
    points, held_out = 0.5 * gaussian(100, seed=3) @ torch.tensor([[1.0, 0.3], [0.0, 1.0]]), compass(16)
    scores, statistics = judge_scores(points, held_out)
    expected = [variance_hinge(points), covariance_penalty(points), sigreg(points, held_out.mT)]
    torch.testing.assert_close(scores, torch.stack(expected))
    torch.testing.assert_close(statistics, epps_pulley(points @ held_out.mT))


@pytest.mark.parametrize("name", SHAPES)
def test_sixteen_directions_of_the_compass_score_a_cloud_as_sixty_four_do(name):
    points = SHAPES[name](cloud_noise(256, 2, generator=seeded(1)))
    few, many = (judge_scores(points, compass(count))[0][2].item() for count in (16, HELD_OUT))
    assert few == pytest.approx(many, rel=0.01)


@pytest.mark.parametrize("num_samples", SIZES)
def test_eight_directions_score_an_ideal_sample_as_sixty_four_do(num_samples):
    clouds = [gaussian(num_samples, seed=seed) for seed in range(20)]
    few, many = ([judge_scores(points, compass(count))[0][2].item() for points in clouds] for count in (8, 64))
    assert few == pytest.approx(many, abs=0.01)


@pytest.mark.parametrize("num_samples", SIZES)
def test_other_ideal_samples_than_those_counted_stay_under_the_level_as_often_as_it_says(num_samples):
    fresh = [judge_scores(gaussian(num_samples, seed=1000 + seed), compass(16))[0] for seed in range(400)]
    shares = (torch.stack(fresh) <= content_levels(num_samples)).float().mean(0)
    assert (shares - IDEAL_SHARE).abs().max() < 0.025  # two standard errors of both counts together


def test_a_level_is_one_of_the_scores_that_it_bounds_and_not_their_mean():
    variance, covariance, score = content_levels(512).tolist()
    assert 2 < score < 3.6, "the mean is 1.05"
    assert 0.02 < variance < 0.07, "a std of 512 samples wanders by 0.03"
    assert 4 / 512 < covariance < 9 / 512, "a correlation's square, times 512, is a chi square"


def test_more_points_make_the_moments_judges_stricter():
    levels = torch.stack([content_levels(num_samples) for num_samples in NUM_SAMPLES])
    assert (levels[1:, :2] < levels[:-1, :2]).all()


@pytest.mark.parametrize("seed", range(3))
def test_which_cloud_fools_whom(seed):
    told = {
        "isotropic": [True, True, True],
        "white_clumps": [True, True, False],
        "clumps": [True, False, False],
        "low_rank": [False, True, False],
        "point": [False, True, False],
    }
    assert {name: content(name, seed=seed) for name in told} == told


def test_of_512_points_a_ring_fools_both_moments_and_not_sigreg():
    assert content("ring") == [True, True, False]


def test_a_level_is_the_same_each_time():
    kept = content_levels(64)
    content_levels.cache_clear()
    assert torch.equal(content_levels(64), kept)
