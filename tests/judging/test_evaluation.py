"""The protocol: whose tasks, how far, how long, how near; and who succeeds where it is known who must."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from lewm_lite.judging import evaluation
from lewm_lite.judging.evaluation import (
    BUDGET,
    GOAL_OFFSET,
    HELD_OUT_SEEDS,
    Task,
    by_chance,
    by_oracle,
    by_planner,
    by_true_dynamics,
    evaluate,
    held_out_tasks,
    run_task,
    two_rooms,
)
from lewm_lite.judging.planning import LatentPlanner, PlannerConfig
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.episodes import run_episode
from lewm_lite.world.policies import ThroughDoor
from lewm_lite.world.rooms import REACH

QUICK = PlannerConfig(candidates=60, elites=10, iterations=6)


@pytest.fixture(scope="module")
def room():
    return two_rooms(32)


def test_the_protocol_is_the_papers():
    assert (GOAL_OFFSET, BUDGET, REACH) == (25, 50, 16 / 224)


def test_a_task_is_two_states_of_one_held_out_episode_25_steps_apart(room):
    tasks = list(held_out_tasks(room, episodes=6, seed=3))
    episodes = [run_episode(room, ThroughDoor(), seed=HELD_OUT_SEEDS + 3, index=i, max_steps=100) for i in range(20)]
    long_enough = [episode["state"] for episode in episodes if len(episode["state"]) > 25]
    firsts = []
    for task, states in zip(tasks, long_enough, strict=False):
        begins = np.flatnonzero((states[:-25] == task.start).all(1) & (states[25:] == task.goal).all(1))
        assert len(begins) == 1
        firsts.append(int(begins[0]))
    assert len(set(firsts)) > 1  # not always the beginning


def test_no_task_is_of_an_episode_that_a_collection_of_that_seed_has(room):
    (task,) = held_out_tasks(room, episodes=1, seed=0)
    collected = [run_episode(room, ThroughDoor(), seed=0, index=index)["state"] for index in range(5)]
    assert not any((states == task.start).all(1).any() for states in collected)


def test_the_same_seed_gives_the_same_tasks_and_more_go_on(room):
    def told(tasks):
        return [(task.start.tolist(), task.goal.tolist(), task.seed) for task in tasks]

    six = told(held_out_tasks(room, episodes=6, seed=3))
    assert told(held_out_tasks(room, episodes=9, seed=3))[:6] == six
    assert told(held_out_tasks(room, episodes=6, seed=4)) != six


def test_a_task_ends_when_the_goal_is_reached_or_the_budget_spent(room):
    task = Task(np.array([0.2, 0.5, 14 / 64]), np.array([0.2, 0.8, 14 / 64]), 0)
    reached = run_task(room, task, by_oracle)
    assert reached[0] == pytest.approx(0.3)
    assert reached[-1] < REACH <= min(reached[:-1])
    assert len(reached) == 1 + 8  # 0.3 less 16/224, in steps of 1/32

    def stands_still(*_):
        return itertools.repeat(np.zeros(2, np.float32))

    assert run_task(room, task, stands_still) == [reached[0]] * (1 + 50)


def test_a_planner_whose_model_is_right_gets_there_within_a_room(room, known_model):
    planner = LatentPlanner(known_model, config=QUICK)
    for goal in ([0.3, 0.85, 14 / 64], [0.4, 0.15, 14 / 64]):
        task = Task(np.array([0.15, 0.4, 14 / 64]), np.array(goal), 1)
        assert run_task(room, task, by_planner(planner))[-1] < REACH
        assert run_task(room, task, by_chance)[-1] > REACH


def test_it_plans_again_as_often_as_it_says(room, known_model, monkeypatch):
    task = Task(np.array([0.15, 0.4, 14 / 64]), np.array([0.9, 0.9, 14 / 64]), 1)  # beyond the wall: not reached
    for every, plans in ((5, 2), (2, 5), (1, 10)):
        planner = LatentPlanner(
            known_model, config=PlannerConfig(candidates=8, elites=2, iterations=1, replan_every=every)
        )
        asked = []
        plan = planner.plan
        monkeypatch.setattr(
            planner, "plan", lambda *given, plan=plan, asked=asked, **named: asked.append(1) or plan(*given, **named)
        )
        assert len(run_task(room, task, by_planner(planner))) == 51
        assert len(asked) == plans


def test_evaluate_puts_everyone_to_the_same_tasks(known_model):
    told = []
    found = evaluate(known_model, episodes=16, seed=5, config=QUICK, progress=lambda *words: told.append(words))
    assert found.oracle.success == 1
    assert found.true_dynamics.success >= 0.85
    assert found.random.success <= 0.6
    assert found.random.success < found.planner.success  # which knows of no walls
    assert found.already_there <= found.random.successes
    assert {rate.trials for rate in (found.planner, found.true_dynamics, found.random, found.oracle)} == {16}
    assert [name for name, _ in told] == [
        name for name in ("planner", "true_dynamics", "random", "oracle") for _ in range(16)
    ]
    assert sum(reached for name, reached in told if name == "planner") == found.planner.successes
    assert evaluate(known_model, episodes=16, seed=5, config=QUICK) == found
    as_dict = found.as_dict()
    assert as_dict["planner"]["interval"] == [round(end, 4) for end in found.planner.interval]
    assert set(as_dict) == {"planner", "true_dynamics", "random", "oracle", "already_there"}


def test_who_was_at_the_goal_before_doing_anything_has_not_reached_it(known_model, monkeypatch):
    monkeypatch.setattr(evaluation, "run_task", lambda *_: [0.0, REACH])
    assert evaluate(known_model, episodes=1, seed=5, config=QUICK).oracle.successes == 0


def test_the_search_over_true_dynamics_gives_the_answer_that_is_asked_for(room):
    task = Task(np.array([0.15, 0.4, 14 / 64]), np.array([0.3, 0.85, 14 / 64]), 1)
    mean, best = (
        run_task(room, task, by_true_dynamics(5, replace(QUICK, elites=60, iterations=1, answer=answer)))
        for answer in ("mean", "best")  # of all candidates: one goes nowhere, the other towards the goal
    )
    assert mean != best


def test_a_model_that_sees_nothing_does_no_better_than_chance(known_model):
    known_model.encode = lambda frames: torch.zeros(*frames.shape[:2], 2)
    known_model.predict = lambda embeddings, actions: embeddings
    found = evaluate(known_model, episodes=16, seed=5, config=QUICK)
    assert found.planner.success < 0.6


def test_what_can_not_be_evaluated_is_refused(known_model):
    with pytest.raises(ValueError, match="episodes must be an integer of at least 1, got 0"):
        evaluate(known_model, episodes=0, seed=0)
    with pytest.raises(ValueError, match="seed must be"):
        evaluate(known_model, episodes=1, seed=-1)
    known_model.action_blocks = None
    with pytest.raises(ValueError, match="action_blocks"):
        evaluate(known_model, episodes=1, seed=0)


def test_a_model_of_another_environment_is_refused_before_anyone_acts(known_model):
    known_model.action_blocks = ActionBlocks(2, (0.0,) * 5, (1.0,) * 5)
    told = []
    with pytest.raises(ValueError, match="action_blocks must be of the two rooms' actions.*2 numbers each, got 5"):
        evaluate(known_model, episodes=1, seed=0, config=QUICK, progress=lambda *words: told.append(words))
    with pytest.raises(ValueError, match="another environment"):
        by_planner(LatentPlanner(known_model))
    assert not told
