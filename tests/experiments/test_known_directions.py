"""Fixed directions are learned by heart; fresh ones and many are not."""

import pytest

from lewm_lite.experiments.known_directions import KnownDirectionsConfig, run, values

SMALL = KnownDirectionsConfig(seeds=(0, 1, 2), num_samples=128, dims=(8,), fixed=(4, 64), fresh=(4,), steps=120)


@pytest.fixture(scope="module")
def seen():
    return run(SMALL)


@pytest.mark.parametrize("start", ["rough", "smooth"])
def test_few_fixed_directions_are_passed_and_others_are_not(seen, start):
    few, many, fresh = (seen[f"{start}.d8.{name}"] for name in ("fixed.k4", "fixed.k64", "fresh.k4"))
    for place in range(3):
        assert few["known"][place] < 0.2 < 3 < few["unknown"][place]
        assert fresh["unknown"][place] < 0.5 * few["unknown"][place]
        assert many["unknown"][place] < 0.5 * few["unknown"][place]


def test_values_have_an_interval_for_every_end(seen):
    told = values(seen)
    assert len(told) == 2 * 3 * 2 * 3
    assert told["known_directions.rough.d8.fixed.k4.unknown_low"] < told["known_directions.rough.d8.fixed.k4.unknown"]
