"""Everything that is asked of a trained world model of the two rooms, in one go."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import effective_rank, feature_std
from lewm_lite.judging.evaluation import blocks_of_two_rooms, evaluate
from lewm_lite.judging.probing import linear_probe, mlp_probe, probe_over_folds
from lewm_lite.judging.rollouts import rollout_error
from lewm_lite.judging.straightening import has_direction, straightness
from lewm_lite.judging.violations import KINDS, violations
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.world.episode_dataset import EpisodeDataset
from lewm_lite.world.episode_file import STATE_NAMES, DatasetError
from lewm_lite.world.frames import normalise_frames


@dataclass(frozen=True)
class ReportConfig:
    """How much of each; all on episodes that the model has not learned from."""

    clips: int = 512  # for rollouts, spread over the held-out episodes
    horizon: int = 5  # blocks of actions
    probe_frames: int = 4000  # of all held-out episodes, evenly
    folds: int = 5
    violation_episodes: int = 200
    planning_episodes: int = 200
    seed: int = 1


@dataclass(frozen=True)
class Report:
    """See :func:`report_on`. Errors are in shares of the variance of embeddings."""

    std: float  # of a feature, mean over features
    effective_rank: float
    linear_r2: float  # of the disc's position
    linear_r2_std: float  # over folds
    mlp_r2: float
    mlp_r2_std: float
    rollout: tuple[float, ...]  # error by horizon
    standstill: tuple[float, ...]  # of a guess that nothing moves
    straightness: float  # of embeddings' paths through held-out episodes, a block of actions from one to the next
    straightness_of_positions: float  # of the disc's own path there
    roc: dict[str, float]  # area, by kind of violation
    planning: dict[str, object]  # as Evaluation.as_dict()

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def report_on(model: LeWorldModel, path: str | Path, config: ReportConfig) -> Report:
    """Probes of position, rollouts, straightness, surprise and planning.

    Args:
        model: in evaluation mode, with its ``action_blocks``.
        path: of the file of episodes it was trained on; its test episodes are looked at.
    Raises:
        ValueError: no blocks of actions or those of another environment, a file that says no places, embeddings that
            are all the same; whatever a judge refuses.
    """
    frame_skip = blocks_of_two_rooms(model.action_blocks).frame_skip
    clips = EpisodeDataset(path, clip_length=config.horizon + 1, frame_skip=frame_skip, split="test")
    check_positions(clips)
    places = torch.linspace(0, len(clips) - 1, config.clips).long().tolist()
    frames, actions = map(torch.stack, zip(*(clips[place] for place in places), strict=True))
    device = next(model.parameters()).device
    strayed = rollout_error(model, normalise_frames(frames).to(device), actions.to(device))
    embedded, walked = episodes_seen(model, clips)
    seen, positions, episodes = evenly(embedded, walked, frames=config.probe_frames)
    linear = probe_over_folds(linear_probe, seen, positions, groups=episodes, folds=config.folds)
    bent = partial(mlp_probe, generator=seeded(config.seed))
    curved = probe_over_folds(bent, seen, positions, groups=episodes, folds=config.folds)
    return Report(
        std=feature_std(seen).mean().item(),
        effective_rank=effective_rank(seen),
        linear_r2=linear.r2,
        linear_r2_std=linear.std,
        mlp_r2=curved.r2,
        mlp_r2_std=curved.std,
        rollout=tuple(strayed.model.tolist()),
        standstill=tuple(strayed.standstill.tolist()),
        straightness=straightness_over(embedded, stride=frame_skip),
        straightness_of_positions=straightness_over(walked, stride=frame_skip),
        roc={
            kind: violations(model, kind=kind, episodes=config.violation_episodes, seed=config.seed).roc.area
            for kind in KINDS
        },
        planning=evaluate(model, episodes=config.planning_episodes, seed=config.seed).as_dict(),
    )


@torch.no_grad()
def episodes_seen(model: LeWorldModel, dataset: EpisodeDataset) -> tuple[list[Tensor], list[Tensor]]:
    """Embeddings ``(rows, dim)`` and positions ``(rows, 2)`` of each whole episode of a dataset, one row a step.

    Both are on the CPU, wherever the model is.

    Raises:
        DatasetError: a file without positions.
    """
    check_positions(dataset)
    device = next(model.parameters()).device
    embedded, walked = [], []
    for place in range(len(dataset.episodes)):
        episode = dataset.episode(place)
        parts = [model.encode(normalise_frames(part)[None].to(device))[0].cpu() for part in episode.frames.split(512)]
        embedded.append(torch.cat(parts))
        walked.append(episode.state[:, :2])
    return embedded, walked


def check_positions(dataset: EpisodeDataset) -> None:
    """Refuse a file that does not say where the disc was.

    Raises:
        DatasetError: it has no such column.
    """
    if not set(STATE_NAMES) & set(dataset.columns):
        raise DatasetError(
            f"{dataset.path} must have a column {' or '.join(STATE_NAMES)} that positions are read from, "
            f"got {', '.join(sorted(dataset.columns))}"
        )


def evenly(embedded: list[Tensor], walked: list[Tensor], *, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """About so many embeddings with their positions, and the number of the episode that each is from."""
    numbers = [torch.full((len(episode),), place) for place, episode in enumerate(embedded)]
    stride = max(1, sum(map(len, embedded)) // frames)
    return torch.cat(embedded)[::stride], torch.cat(walked)[::stride], torch.cat(numbers)[::stride]


def straightness_over(paths: list[Tensor], *, stride: int) -> float:
    """Mean straightness of paths, each thinned to every so many rows.

    Paths of fewer than three points are left out, and those that never move two steps in a row.

    Raises:
        ValueError: no path is left.
    """
    thinned = [path[::stride] for path in paths if len(path) > 2 * stride]
    moving = [path for path in thinned if has_direction(path)]
    if not moving:
        raise ValueError(
            f"paths must hold one of more than {2 * stride} rows that moves two steps of {stride} rows in a row, "
            f"got {len(paths)} paths, {len(thinned)} of them long enough"
        )
    return sum(map(straightness, moving)) / len(moving)
