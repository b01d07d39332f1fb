"""What can't happen in the two rooms, staged: a disc that is elsewhere in an instant, or has another colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lewm_lite.checks import check_positive_integer
from lewm_lite.judging.evaluation import HELD_OUT_SEEDS, blocks_of_two_rooms, pixels, two_rooms
from lewm_lite.judging.surprise import ROC, roc, surprise
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.world.policies import ThroughDoor
from lewm_lite.world.rooms import Rooms, distance
from lewm_lite.world.two_room import TwoRoom

KINDS = ("teleport", "recolour")
TIME = 11  # frames of an episode, a block of actions apart
WHEN = 6  # the first frame that shows the violation
FAR = 0.25  # a teleport goes at least so far, in room units
COLOUR = "blue"  # of the disc after a recolouring; it is red before


@dataclass(frozen=True)
class Violations:
    """Surprise in the same episodes with and without the violation, ``(episodes, time)`` each, and how it tells them.

    ``roc`` judges an episode by its highest surprise, without knowing when to look.
    """

    usual: Tensor
    strange: Tensor
    when: int  # the time step of the violation
    roc: ROC


def violations(model: LeWorldModel, *, kind: str, episodes: int, seed: int) -> Violations:
    """Stage a violation in held-out episodes, and see how much more it surprises than the same episodes without it.

    Args:
        model: in evaluation mode, with its ``action_blocks``.
        kind: ``"teleport"``: the disc is at another place, at least a quarter of the room away; ``"recolour"``: the
            disc is blue from then on. What is done stays the same.
        episodes: how many, >= 1. seed: of all that is random in them.
    Raises:
        ValueError: another kind, a seed that is none, no blocks of actions or those of another environment, a model
            in training mode.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    check_positive_integer("episodes", episodes)
    seeded(seed)  # refuses what is no seed
    blocks = blocks_of_two_rooms(model.action_blocks)
    env = two_rooms(model.config.image_size)
    device = next(model.parameters()).device
    scores = []
    for index in range(episodes):
        acted = act(env, steps=(TIME - 1) * blocks.frame_skip, seed=seed, index=index)
        done = blocks.pack(torch.from_numpy(acted))
        for staged in (None, kind):
            frames = film(env, acted, frame_skip=blocks.frame_skip, kind=staged, seed=seed, index=index)
            scores.append(surprise(model, frames[None].to(device), done[None].to(device))[0].cpu())
    usual, strange = torch.stack(scores).unflatten(0, (episodes, 2)).unbind(1)
    return Violations(usual, strange, WHEN, roc(usual.amax(1), strange.amax(1)))


def act(env: TwoRoom, *, steps: int, seed: int, index: int) -> np.ndarray:
    """What the noisy policy does in one episode: ``(steps, 2)``; a goal that is reached stays where it is."""
    words = np.random.SeedSequence([HELD_OUT_SEEDS + seed, index, 2]).generate_state(2)
    frame, info = env.reset(seed=int(words[0]))
    generator, policy, actions = seeded(int(words[1])), ThroughDoor(), []
    for _ in range(steps):
        actions.append(policy(frame, info, generator=generator))
        frame, *_, info = env.step(actions[-1])
    return np.stack(actions)


def film(env: TwoRoom, actions: np.ndarray, *, frame_skip: int, kind: str | None, seed: int, index: int) -> Tensor:
    """The frames of an episode ``(time, 3, height, width)``, with a violation just before frame ``WHEN``, or none."""
    words = np.random.SeedSequence([HELD_OUT_SEEDS + seed, index, 2]).generate_state(3)
    frame, _ = env.reset(seed=int(words[0]))
    frames = [pixels(frame)]
    for step, action in enumerate(actions, 1):
        frame, *_ = env.step(action)
        if step == WHEN * frame_skip and kind is not None:
            if kind == "teleport":
                env.teleport(_elsewhere(env, np.random.default_rng(words[2])))
            else:
                env.recolour(agent=COLOUR)
            frame = env.frame()
        if step % frame_skip == 0:
            frames.append(pixels(frame))
    return torch.stack(frames)


def _elsewhere(env: TwoRoom, generator: np.random.Generator) -> tuple[float, float]:
    x, y, door = env.state.tolist()
    while True:  # most places are that far away
        place = Rooms(door).random_place(generator, right=bool(generator.integers(2)))
        if distance(place, (x, y)) >= FAR:
            return place
