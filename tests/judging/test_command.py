"""``evaluate`` and ``plan`` load a checkpoint, say what came of it, and refuse in a sentence."""

from __future__ import annotations

import json

import pytest

from lewm_lite import LeWorldModel, evaluate
from lewm_lite.__main__ import main
from lewm_lite.judging.planning import LatentPlanner, PlannerConfig
from lewm_lite.training.checkpoints import write_checkpoint
from lewm_lite.world.action_blocks import ActionBlocks

QUICK = ["--candidates", "8", "--elites", "2", "--iterations", "1", "--seed", "5", "--device", "cpu"]


@pytest.fixture(scope="module")
def untrained():
    model = LeWorldModel.from_preset("lite", action_dim=10).eval()
    model.action_blocks = ActionBlocks(5, (0.0, 0.0), (0.9, 0.9))
    return model


@pytest.fixture(scope="module")
def checkpoint(untrained, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "checkpoint.safetensors"
    write_checkpoint(path, untrained, facts={})
    return path


def test_evaluate_says_what_the_function_finds(checkpoint, untrained, capsys):
    words = ["evaluate", "--checkpoint", str(checkpoint), "--episodes", "3", *QUICK]
    assert main([*words, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    config = PlannerConfig(candidates=8, elites=2, iterations=1)
    assert json.loads(out) == evaluate(untrained, episodes=3, seed=5, config=config).as_dict()
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "oracle            3 of 3  100.0%  (95 %: 43.9% to 100.0%)" in captured.out
    assert "12/12" in captured.err


def test_plan_says_how_near_it_came(checkpoint, capsys):
    words = ["plan", "--checkpoint", str(checkpoint.parent), "--task", "1", *QUICK]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["distances"]) == told["steps"] + 1
    assert told["reached"] == (told["distances"][-1] < 16 / 224)
    assert main(words) == 0
    assert f"from {told['start']} to {told['goal']}: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        ([], {}),
        (["--horizon", "3"], {"horizon": 3, "replan_every": 3}),
        (["--horizon", "9"], {"horizon": 9}),
        (["--candidates", "100"], {"candidates": 100, "elites": 10}),
        (["--candidates", "8"], {"candidates": 8, "elites": 2}),
        (["--candidates", "600", "--replan-every", "1"], {"candidates": 600, "replan_every": 1}),
    ],
    ids=str,
)
def test_sizes_that_are_not_given_follow_those_that_are(words, sizes, checkpoint, monkeypatch):
    asked = []

    def plan(planner, *given, **named):
        asked.append(planner.config)
        raise ValueError("enough")

    monkeypatch.setattr(LatentPlanner, "plan", plan)
    assert main(["plan", "--checkpoint", str(checkpoint), "--device", "cpu", *words]) == 1
    assert asked == [PlannerConfig(**sizes)]


def test_the_help_says_what_horizon_and_elites_are(capsys):
    with pytest.raises(SystemExit):
        main(["plan", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "blocks of actions that are planned ahead (default: 5)" in told
    assert "(default: 30, or a tenth of fewer candidates)" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "--checkpoint", "nowhere/run"], "no checkpoint at nowhere/run"),
        (["plan", "--checkpoint", "nothing"], "no checkpoint named 'nothing'"),
        (["evaluate", "--episodes", "0"], "episodes must be an integer of at least 1, got 0"),
        (["plan", "--task", "-1"], "--task must be at least 0, got -1"),
        (["plan", "--horizon", "0"], "horizon must be"),
        (["evaluate", "--elites", "301"], "elites must be at most the 300 candidates"),
        (["plan", "--seed", "-1"], "seed must be"),
    ],
)
def test_what_can_not_be_ends_with_status_1_and_a_sentence(words, message, checkpoint, capsys):
    given = words if "--checkpoint" in words else [*words, "--checkpoint", str(checkpoint)]
    assert main(given) == 1
    assert message in capsys.readouterr().err
