"""What a second encoder costs: the fast form counts what arithmetic says, and the kept result is of the config."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.teacher_memory import KINDS, TeacherMemoryConfig, measure, run, values

SMALL = TeacherMemoryConfig(
    frame_size=16, width=16, depth=1, heads=2, dim=8, num_directions=2, clip_lengths=(2,), batches=(2, 32)
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def found():
    return run(SMALL)


def test_a_teacher_adds_weights_and_buffers_but_no_gradient_and_no_moments(found):
    one, both = found["2"]["one_encoder"], found["2"]["with_teacher"]
    predictor = 4 * (8 * 32 + 32 + 32 * 8 + 8)
    assert both["parameters"][0] == 2 * one["parameters"][0] - predictor
    assert both["buffers"][0] == 2 * one["buffers"][0] > 0
    assert both["gradients"] == one["gradients"] == one["parameters"]
    assert both["optimiser"] == one["optimiser"]
    assert one["optimiser"][0] >= 2 * one["parameters"][0]


def test_targets_without_gradient_keep_no_activations(found):
    one, both = found["2"]["one_encoder"], found["2"]["with_teacher"]
    for with_teacher, alone in zip(both["activations"], one["activations"], strict=True):
        assert 0.4 < with_teacher / alone < 0.6
    assert 10 < one["activations"][1] / one["activations"][0] < 17  # in proportion to the batch, which grew 16-fold


def test_the_peak_holds_at_least_weights_moments_and_activations(found):
    for setup in found["2"].values():
        for place in range(2):
            there = sum(setup[kind][place] for kind in ("parameters", "buffers", "optimiser", "activations"))
            assert there < setup["peak"][place]
    one, both = found["2"]["one_encoder"], found["2"]["with_teacher"]
    assert both["peak"][1] < 0.85 * one["peak"][1]


def test_measuring_again_gives_the_same(found):
    again = measure(SMALL, "with_teacher", 2, 2)
    assert again == {kind: found["2"]["with_teacher"][kind][0] for kind in KINDS}


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/teacher_memory.json").read_text())
    config = TeacherMemoryConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, kept["details"]["bytes"])
    assert 1.9 < kept["values"]["teacher_memory.parameters_ratio"] < 2
    assert 1.2 < kept["values"]["teacher_memory.states_ratio"] < 1.25
    ratios = [kept["values"][f"teacher_memory.clip2.batch{batch}.peak_ratio"] for batch in config.batches]
    assert ratios == sorted(ratios, reverse=True) and ratios[0] > 1 > ratios[1] and ratios[-1] < 0.65
