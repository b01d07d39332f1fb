"""The cost experiment measures what it says: growth, rivals, an encoder's step, and a share that follows K."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.sigreg_cost import (
    PAPERS_ENCODER,
    SIGRegCostConfig,
    beside,
    encoding,
    growing,
    small_shares,
    values,
)
from lewm_lite.experiments.teacher_memory import FrameEncoder

TINY = replace(PAPERS_ENCODER, frame_size=16, patch_size=8, width=24, depth=2, heads=2, dim=8)
SMALL = SIGRegCostConfig(
    batches=(16, 64),
    dim=4,
    num_directions=8,
    shape=(2, 32, 8),
    counts=(1, 64),
    encoder=TINY,
    small_batch=16,
    small_counts=(1, 256),
    repeats=3,
)


@pytest.fixture(scope="module")
def found():
    return {measure.__name__: measure(SMALL) for measure in (growing, beside, encoding, small_shares)}


def test_both_tests_are_timed_at_every_batch(found):
    assert {name: len(times) for name, times in found["growing"].items()} == {"sigreg": 2, "all_pairs": 2}
    assert all(time > 0 for times in found["growing"].values() for time in times)


def test_every_rival_stands_beside_and_is_measured(found):
    names = {"sigreg_1", "sigreg_64", "vicreg", "all_pairs", "teacher"}
    assert set(found["beside"]["milliseconds"]) == set(found["beside"]["megabytes"]) == names
    assert all(took > 0 for took in found["beside"]["milliseconds"].values())


def test_a_teacher_takes_a_copy_of_the_weights_and_about_as_much_while_it_moves(found):
    own = sum(parameter.numel() for parameter in FrameEncoder(TINY).parameters()) * 4 / 1e6
    assert 1.9 < found["beside"]["megabytes"]["teacher"] / own < 3


def test_an_encoders_step_is_longer_than_its_forward_and_grows_with_the_batch(found):
    assert found["encoding"]["step"] > found["encoding"]["forward"] > 0
    twice = encoding(replace(SMALL, shape=(2, 64, 8)))
    assert twice["activations"] == pytest.approx(2 * found["encoding"]["activations"])


def test_more_directions_are_a_larger_share_of_a_small_step(found):
    assert 0 < found["small_shares"][256] < 1
    assert found["small_shares"][1] < found["small_shares"][256]


def test_the_papers_encoder_has_the_parameters_of_a_tiny_vision_transformer():
    count = sum(parameter.numel() for parameter in FrameEncoder(PAPERS_ENCODER).parameters())
    assert count == pytest.approx(5_501_376, rel=0.02)


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/sigreg_cost.json").read_text(encoding="utf-8"))
    config = SIGRegCostConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    details = kept["details"]
    details["small_shares"] = {int(count): share for count, share in details["small_shares"].items()}
    assert kept["values"] == values(config, details)
    samples = config.batches[-1] / config.batches[0]
    assert kept["values"]["sigreg_cost.growth"] < 1.5 * samples < kept["values"]["sigreg_cost.growth_of_pairs"]
    assert kept["values"]["sigreg_cost.share_of_step"] < 0.01
    assert kept["values"]["sigreg_cost.over_vicreg"] > 3 and kept["values"]["sigreg_cost.over_teacher"] > 1
