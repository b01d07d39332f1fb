"""Can it act? Planning in held-out episodes of the two rooms, beside chance, a guide and the true dynamics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lewm_lite.checks import check_positive_integer
from lewm_lite.judging.cem import cem
from lewm_lite.judging.planning import LatentPlanner, PlannerConfig
from lewm_lite.judging.success import SuccessRate
from lewm_lite.judging.true_dynamics import true_cost
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.episodes import run_episode
from lewm_lite.world.frames import normalise_frames
from lewm_lite.world.making import make_environment
from lewm_lite.world.policies import RandomPolicy, ThroughDoor
from lewm_lite.world.registration import TWO_ROOM
from lewm_lite.world.rooms import REACH, distance
from lewm_lite.world.two_room import TwoRoom

GOAL_OFFSET = 25  # steps after which a held-out episode came to the goal
BUDGET = 50  # steps in which it must be reached
# A collection's seed fits 64 bits: counted from here on, no episode that is judged was ever collected to learn from.
HELD_OUT_SEEDS = 2**64


@dataclass(frozen=True)
class Task:
    """From where to where, and what to draw chance from: a pair of states of one held-out episode."""

    start: np.ndarray  # (3,): x, y, y of the door
    goal: np.ndarray  # (3,)
    seed: int


@dataclass(frozen=True)
class Evaluation:
    """Success by who acted, on the same tasks."""

    planner: SuccessRate
    true_dynamics: SuccessRate  # the same search with nothing to learn: what it misses, the cost misses
    random: SuccessRate
    oracle: SuccessRate
    already_there: int  # tasks whose start is within reach of the goal: what nobody need do anything for

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        rates = {name: rate.as_dict() for name, rate in vars(self).items() if isinstance(rate, SuccessRate)}
        return {**rates, "already_there": self.already_there}


Actor = Callable[[TwoRoom, Task, np.ndarray, torch.Generator], Iterator[np.ndarray]]


def evaluate(
    model: LeWorldModel,
    *,
    episodes: int,
    seed: int,
    action_blocks: ActionBlocks | None = None,
    config: PlannerConfig | None = None,
    progress: Callable[[str, bool], None] | None = None,
) -> Evaluation:
    """Planning success by the paper's protocol, in the environment itself.

    A task is a pair of states of a held-out episode by the noisy policy, one the state ``25`` steps after the other.
    The environment is put in the first, the goal is the picture of the second, and there are ``50`` steps: it succeeds
    when the disc comes nearer to the goal than 16/224 of the room in any of them. Episodes of the paper's evaluation
    come from the data that the model was trained on; these are made anew, from seeds that no collection has.

    Beside the planner the same tasks are given to random actions, to the scripted policy without noise, which knows
    the state (``oracle``), and to the planner's own search over the true dynamics, at the true distance.

    Args:
        model: in evaluation mode, from the pixels of ``lewm_lite/TwoRoom-v0``.
        episodes: tasks, >= 1, one from each episode. seed: of episodes and of all that act.
        action_blocks, config: see :class:`~lewm_lite.judging.planning.LatentPlanner`.
        progress: called with the name of who acted, and whether it succeeded, after each task.
    Raises:
        ValueError: fewer than one episode, a seed that is none, blocks of another environment's actions, or whatever
            the planner refuses.
    Source:
        Maes et al. 2026, section 5, with the lengths of the authors' code (galilai-group/stable-worldmodel,
        ``envs/two_room/env.py``; lucas-maes/le-wm at 8edfeb3, ``config/eval/tworoom.yaml``). As theirs does, by
        default a plan of 25 steps is done to its end before the next.
    """
    planner = LatentPlanner(model, action_blocks, config=config)
    env = two_rooms(model.config.image_size)
    actors: dict[str, Actor] = {
        "planner": by_planner(planner),
        "true_dynamics": by_true_dynamics(planner.action_blocks.frame_skip, planner.config),
        "random": by_chance,
        "oracle": by_oracle,
    }
    tasks = list(held_out_tasks(env, episodes=episodes, seed=seed))
    rates = {}
    for name, actor in actors.items():
        successes = 0
        for task in tasks:
            reached = bool(min(run_task(env, task, actor)[1:]) < REACH)
            successes += reached
            if progress is not None:
                progress(name, reached)
        rates[name] = SuccessRate(successes, len(tasks))
    near = sum(distance(task.start[:2], task.goal[:2]) < REACH for task in tasks)
    return Evaluation(**rates, already_there=near)


def two_rooms(size: int) -> TwoRoom:
    """The environment without a wrapper around it, so that it can be put in any state."""
    return make_environment(TWO_ROOM, size=size).unwrapped


def blocks_of_two_rooms(blocks: ActionBlocks | None) -> ActionBlocks:
    """A model's blocks of actions, if they are there and of this environment.

    Raises:
        ValueError: none, or blocks of actions that are not two numbers each.
    """
    if blocks is None:
        raise ValueError("model brings no action_blocks: load it from a checkpoint, or set them")
    if len(blocks.mean) != 2:
        raise ValueError(
            f"action_blocks must be of the two rooms' actions, which are 2 numbers each, got {len(blocks.mean)}: "
            "the model is of another environment"
        )
    return blocks


def held_out_tasks(env: TwoRoom, *, episodes: int, seed: int) -> Iterator[Task]:
    """One task from each of so many episodes that are long enough; the same seed gives the same, and more go on."""
    check_positive_integer("episodes", episodes)
    seeded(seed)  # refuses what is no seed
    made, index = 0, -1
    while made < episodes:
        index += 1
        states = run_episode(env, ThroughDoor(), seed=HELD_OUT_SEEDS + seed, index=index, max_steps=100)["state"]
        if len(states) <= GOAL_OFFSET:
            continue  # it came to its own goal too soon
        words = np.random.SeedSequence([HELD_OUT_SEEDS + seed, index, 1]).generate_state(2)
        first = int(words[0]) % (len(states) - GOAL_OFFSET)
        made += 1
        yield Task(states[first], states[first + GOAL_OFFSET], int(words[1]))


def run_task(env: TwoRoom, task: Task, actor: Actor) -> list[float]:
    """The distance to the goal at the start and after each step, until it is reached or the budget is spent."""
    options = {"state": task.start, "goal": task.goal}
    frame, info = env.reset(seed=task.seed, options=options)
    distances = [info["distance"]]
    acting = actor(env, task, frame, seeded(task.seed))
    for action in acting:
        *_, info = env.step(action)
        distances.append(info["distance"])
        if info["distance"] < REACH or len(distances) > BUDGET:
            break
    return distances


def by_planner(planner: LatentPlanner) -> Actor:
    """Acts by plans from the picture of now to the picture of the goal.

    Raises:
        ValueError: a planner for another environment.
    """
    blocks_of_two_rooms(planner.action_blocks)

    def act(env: TwoRoom, task: Task, frame: np.ndarray, generator: torch.Generator) -> Iterator[np.ndarray]:
        device = next(planner.model.parameters()).device
        goal = pixels(env.frame(task.goal)).to(device)
        done = planner.config.replan_every * planner.action_blocks.frame_skip
        while True:
            plan = planner.plan(pixels(env.frame()).to(device)[None], goal, generator=generator)
            yield from plan.actions[:done].cpu().numpy()

    return act


def by_true_dynamics(frame_skip: int, config: PlannerConfig) -> Actor:
    """Acts by the same search, with the environment's own dynamics and the true distance to the goal."""

    def act(env: TwoRoom, task: Task, frame: np.ndarray, generator: torch.Generator) -> Iterator[np.ndarray]:
        goal = torch.from_numpy(task.goal[:2])
        while True:
            x, y, door = env.state.tolist()
            plan = cem(
                true_cost(torch.tensor([x, y]), goal, door=door, frame_skip=frame_skip),
                horizon=config.horizon,
                action_dim=2 * frame_skip,
                candidates=config.candidates,
                elites=config.elites,
                iterations=config.iterations,
                answer=config.answer,
                generator=generator,
            )
            steps = plan.actions.reshape(-1, 2).clamp(-1, 1)
            yield from steps[: config.replan_every * frame_skip].numpy()

    return act


def by_chance(env: TwoRoom, task: Task, frame: np.ndarray, generator: torch.Generator) -> Iterator[np.ndarray]:
    """Acts at random."""
    policy = RandomPolicy(env.action_space)
    while True:
        yield policy(frame, {}, generator=generator)


def by_oracle(env: TwoRoom, task: Task, frame: np.ndarray, generator: torch.Generator) -> Iterator[np.ndarray]:
    """Walks there by the scripted policy without noise."""
    policy = ThroughDoor(noise=0.0)
    while True:
        yield policy(frame, {"state": env.state, "goal": task.goal[:2]}, generator=generator)


def pixels(frame: np.ndarray) -> Tensor:
    """A picture of the environment as the model wants it: ``(3, height, width)`` normalised."""
    return normalise_frames(torch.from_numpy(frame).movedim(-1, 0))
