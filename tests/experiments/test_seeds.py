"""Intervals over seeds: Student's, rounded, and named as sentences quote them."""

from __future__ import annotations

import pytest

from lewm_lite.experiments.seeds import brief, interval, over_seeds


def test_an_interval_is_student_s():
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), rel=1e-4)
    with pytest.raises(ValueError, match="at least 2"):
        interval([1.0])


def test_a_number_over_seeds_has_three_names_and_four_digits():
    assert over_seeds("a.b", [1.0, 1.0002]) == {"a.b": 1.0, "a.b_low": 0.9988, "a.b_high": 1.001}


@pytest.mark.parametrize(("number", "short"), [(0.0123456, 0.01235), (98764.0, 98760.0), (-1.00004, -1.0), (0.0, 0.0)])
def test_four_digits_are_kept_of_any_size(number, short):
    assert brief(number) == short
