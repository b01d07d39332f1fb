"""The expected score is what scores average to."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, epps_pulley, random_directions, seeded, sigreg
from lewm_lite.objectives.expected import expected_epps_pulley, expected_sigreg


@pytest.mark.parametrize("num_samples", [16, 256])
@pytest.mark.parametrize("variance", [0.0, 0.5, 1.0, 3.0])
def test_the_expected_statistic_is_the_mean_of_many(variance, num_samples):
    shadows = variance**0.5 * torch.randn(num_samples, 6000, generator=seeded(5))
    found = epps_pulley(shadows)
    expected = expected_epps_pulley(torch.tensor(variance), num_samples).item()
    assert abs(found.mean().item() - expected) < 4 * found.std().item() / 6000**0.5 + 1e-4


def test_the_floor_does_not_depend_on_the_number_of_samples():
    one = torch.tensor(1.0, dtype=torch.float64)
    assert expected_epps_pulley(one, 16) == pytest.approx(1.0525, abs=1e-4)
    assert expected_epps_pulley(one, 4096).item() == pytest.approx(expected_epps_pulley(one, 16).item())


def test_a_slightly_small_shadow_scores_less_than_an_ideal_one_in_a_small_batch_and_more_in_a_large_one():
    small, ideal = torch.tensor(0.95, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    assert expected_epps_pulley(small, 32) < expected_epps_pulley(ideal, 32)
    assert expected_epps_pulley(small, 512) > expected_epps_pulley(ideal, 512)


@pytest.mark.parametrize("live", [2.0, 8.0])
def test_the_expected_score_of_a_low_rank_cloud_is_the_mean_of_many(live):
    generator = seeded(7)
    variances = torch.tensor([live, live, *[0.0] * 14])
    directions = random_directions(16, 4096, generator=generator)
    expected = expected_sigreg(variances, directions, 64).item()
    scores = torch.stack(
        [
            sigreg(
                torch.randn(64, 16, generator=generator) * variances.sqrt(),
                random_directions(16, 64, generator=generator),
            )
            for _ in range(300)
        ]
    )
    assert abs(scores.mean().item() - expected) < 4 * scores.std().item() / 300**0.5 + 0.03 * expected


def test_bad_input_is_refused_in_words():
    directions = random_directions(4, 8, generator=seeded(0))
    with pytest.raises(ValueError, match="variance must be at least 0, got -1"):
        expected_epps_pulley(torch.tensor(-1.0), 8)
    with pytest.raises(ShapeError, match=r"variances must be \(dim,\)"):
        expected_sigreg(torch.ones(2, 4), directions, 8)
    with pytest.raises(ShapeError, match="directions must have the dimension"):
        expected_sigreg(torch.ones(5), directions, 8)
    with pytest.raises(ValueError, match="num_samples"):
        expected_epps_pulley(torch.tensor(1.0), 0)
