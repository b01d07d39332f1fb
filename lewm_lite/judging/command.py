"""``python -m lewm_lite evaluate`` and ``plan``: their options, and what they do with them."""

from __future__ import annotations

import argparse
import json

from lewm_lite.judging.planning import LatentPlanner, PlannerConfig
from lewm_lite.training.checkpoints import load_checkpoint
from lewm_lite.training.processes import DEVICES, pick_device

_USUAL = PlannerConfig()
_SIZES = {
    "horizon": f"blocks of actions that are planned ahead (default: {_USUAL.horizon})",
    "candidates": f"plans that each iteration of the search draws (default: {_USUAL.candidates})",
    "elites": "the cheapest of them, which the next iteration draws around "
    f"(default: {_USUAL.elites}, or a tenth of fewer candidates)",
    "iterations": f"times that plans are drawn, each nearer to the best so far (default: {_USUAL.iterations})",
    "replan_every": "blocks of actions that are done before the next plan "
    f"(default: {_USUAL.replan_every}, or a shorter horizon)",
}


def describe_evaluate(evaluate: argparse.ArgumentParser) -> None:
    """The options of ``evaluate``."""
    evaluate.add_argument("--episodes", type=int, default=100, help="held-out tasks (default: %(default)s)")
    _describe_both(evaluate)


def describe_plan(plan: argparse.ArgumentParser) -> None:
    """The options of ``plan``."""
    plan.add_argument("--task", type=int, default=0, help="which of the seed's tasks (default: %(default)s)")
    _describe_both(plan)


def run_evaluate(chosen: argparse.Namespace) -> str:
    """Evaluate as the options say, and tell what came of it.

    Raises:
        ValueError, OSError: no checkpoint there, or a search that can't be.
    """
    from tqdm import tqdm

    from lewm_lite.judging.evaluation import evaluate

    planner = _planner(chosen)
    with tqdm(total=4 * chosen.episodes, unit=" tasks", mininterval=0.5) as bar:
        found = evaluate(
            planner.model,
            episodes=chosen.episodes,
            seed=chosen.seed,
            config=planner.config,
            progress=lambda who, reached: (bar.set_description(who, refresh=False), bar.update()),
        )
    if chosen.json:
        return json.dumps(found.as_dict())
    rates = (found.planner, found.true_dynamics, found.random, found.oracle)
    lines = [
        f"{name:<14} {rate.successes:>4} of {rate.trials}  {rate.success:6.1%}  (95 %: {low:.1%} to {high:.1%})"
        for name, rate in zip(("planner", "true dynamics", "random", "oracle"), rates, strict=True)
        for low, high in [rate.interval]
    ]
    return "\n".join([*lines, f"within reach of the goal from the start: {found.already_there}"])


def run_plan(chosen: argparse.Namespace) -> str:
    """Plan and act in one held-out task, and tell how near the goal it came.

    Raises:
        ValueError, OSError: as :func:`run_evaluate`; a task below 0.
    """
    from lewm_lite.judging.evaluation import REACH, by_planner, held_out_tasks, run_task, two_rooms

    if chosen.task < 0:
        raise ValueError(f"--task must be at least 0, got {chosen.task}")
    planner = _planner(chosen)
    env = two_rooms(planner.model.config.image_size)
    *_, task = held_out_tasks(env, episodes=chosen.task + 1, seed=chosen.seed)
    distances = run_task(env, task, by_planner(planner))
    reached, steps = distances[-1] < REACH, len(distances) - 1
    start, goal = ([round(float(at), 4) for at in state[:2]] for state in (task.start, task.goal))
    if chosen.json:
        told = {"start": start, "goal": goal, "reached": reached, "steps": steps}
        return json.dumps(told | {"distances": [round(distance, 4) for distance in distances]})
    end = f"reached after {steps} steps" if reached else f"not reached in {steps} steps"
    return f"from {start} to {goal}: {end}; {distances[0]:.3f} of the room away at first, {distances[-1]:.3f} at last"


def _describe_both(command: argparse.ArgumentParser) -> None:
    command.add_argument("--checkpoint", default="lite", help="name, file or folder of a run (default: %(default)s)")
    command.add_argument("--seed", type=int, default=0, help="of tasks and of the search (default: %(default)s)")
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU if there is one")
    for name, told in _SIZES.items():
        command.add_argument(f"--{name.replace('_', '-')}", type=int, help=told)
    command.add_argument("--json", action="store_true", help="print the result as one line of JSON")


def _planner(chosen: argparse.Namespace) -> LatentPlanner:
    model = load_checkpoint(chosen.checkpoint).to(pick_device(chosen.device))
    return LatentPlanner(model, config=_search(chosen))


def _search(chosen: argparse.Namespace) -> PlannerConfig:
    """The sizes that were asked for; of the others those that depend on one of them follow it."""
    asked = {name: getattr(chosen, name) for name in _SIZES if getattr(chosen, name) is not None}
    horizon, candidates = asked.get("horizon", _USUAL.horizon), asked.get("candidates", _USUAL.candidates)
    following = {
        "elites": min(_USUAL.elites, max(candidates // 10, 2)),
        "replan_every": min(_USUAL.replan_every, horizon),
    }
    return PlannerConfig(**(following | asked))
