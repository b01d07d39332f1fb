"""SIGReg beside the direct formula: equal, leaner, faster; and the bench sees it when it is not."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, random_directions, seeded, sigreg
from lewm_lite.experiments import sigreg_bench
from lewm_lite.experiments.sigreg_bench import SIGRegBenchConfig, compare, direct_sigreg, peak_bytes, timed, values

pytestmark = pytest.mark.timed

PAPER = SIGRegBenchConfig()


@pytest.fixture(scope="module")
def at_the_papers_shape():
    torch.set_num_threads(1)
    return compare(replace(PAPER, warm_up=1, repeats=5))


def test_the_shape_is_the_papers():
    assert (PAPER.time, PAPER.batch, PAPER.dim, PAPER.num_directions) == (4, 128, 192, 1024)


def test_value_and_gradient_are_the_direct_forms(at_the_papers_shape):
    assert at_the_papers_shape.value_error < 1e-5
    assert at_the_papers_shape.gradient_error < 1e-5


def test_it_takes_an_eighth_of_the_extra_memory_and_less(at_the_papers_shape):
    assert at_the_papers_shape.less_memory > 8
    angles = 4 * 128 * 1024 * 17 * 4 / 1e6
    assert at_the_papers_shape.megabytes["direct"] > 4 * angles  # angles, sines, cosines, and a gradient of these


def test_it_is_faster_with_room_for_a_busy_machine(at_the_papers_shape):
    assert at_the_papers_shape.faster > 2.5


def test_two_equal_forms_are_neither_faster_nor_leaner():
    same = compare(replace(PAPER, batch=32, dim=16, num_directions=64, repeats=9), ours=direct_sigreg)
    assert same.less_memory == 1 and same.value_error == same.gradient_error == 0
    assert 0.4 < same.faster < 2.5


def test_a_wrong_form_is_seen():
    def wrong(embeddings, directions):
        return 1.001 * sigreg(embeddings, directions)

    small = compare(replace(PAPER, batch=32, dim=16, num_directions=64, warm_up=0, repeats=1), ours=wrong)
    assert small.value_error > 5e-4 and small.gradient_error > 5e-4


def test_the_direct_form_follows_knots_and_range():
    embeddings = torch.randn(2, 40, 8, generator=seeded(0), dtype=torch.float64)
    directions = random_directions(8, 5, generator=seeded(1)).double()
    for knots, t_max in ((17, 3.0), (9, 5.0)):
        direct = direct_sigreg(embeddings, directions, knots=knots, t_max=t_max)
        torch.testing.assert_close(direct, sigreg(embeddings, directions, knots=knots, t_max=t_max))


def test_calls_take_turns_and_the_first_ones_do_not_count():
    order: list[str] = []
    seconds = timed({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, warm_up=1, repeats=2)
    assert order == list("ababab") and [len(times) for times in seconds.values()] == [2, 2]


def test_the_peak_is_what_a_call_adds():
    there = torch.zeros(1000)
    assert peak_bytes(lambda: there + 1, [there]) == 4000
    assert peak_bytes(lambda: (there + 1).sum(), [there]) == 4004


def test_without_a_graphics_card_the_command_says_so(monkeypatch, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    monkeypatch.setattr(sys, "argv", ["sigreg_bench", "--device", "cuda"])
    with pytest.raises(SystemExit):
        sigreg_bench.main()
    assert "sees no graphics card" in capsys.readouterr().err


def test_the_kept_ratios_are_of_the_config_as_it_stands_and_reach_the_goal(at_the_papers_shape):
    kept = json.loads(asset_path("results/sigreg_bench.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(PAPER)))
    assert set(kept["values"]) == set(values(at_the_papers_shape))
    assert kept["values"]["sigreg_bench.faster"] >= 5 and kept["values"]["sigreg_bench.less_memory"] >= 8
    assert kept["values"]["sigreg_bench.less_memory"] == pytest.approx(at_the_papers_shape.less_memory, rel=0.02)
