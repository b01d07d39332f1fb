"""A world small enough to train on in a test: a bright square on 8 x 8 pixels that actions move."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
from small_world_model import SMALL

from lewm_lite import seeded
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.world.episode_dataset import EpisodeDataset

LEARNING = replace(SMALL, encoder_init_std=None, dropout=0.1)  # starts wide awake


def write_moving_square(path, *, episodes=6, rows=12):
    chance = np.random.default_rng(0)
    moves = chance.uniform(-1, 1, (episodes, rows, 2)).astype(np.float32)
    places = np.clip(chance.uniform(1, 6, (episodes, 1, 2)) + np.cumsum(moves, 1) - moves, 0, 6)
    axis = np.arange(8)
    near = np.exp(-np.square(axis - places[..., None]) / 2)  # (episodes, rows, 2, 8)
    shown = np.round(255 * near[..., 0, :, None] * near[..., 1, None, :]).astype(np.uint8)
    with h5py.File(path, "w") as file:
        file["pixels"] = np.repeat(shown.reshape(-1, 8, 8, 1), 3, -1)
        file["action"] = moves.reshape(-1, 2)
        file["ep_len"] = np.full(episodes, rows)
        file["ep_offset"] = np.arange(episodes) * rows


@pytest.fixture(scope="session")
def square_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("square") / "square.h5"
    write_moving_square(path)
    return path


@pytest.fixture
def write_square():
    return write_moving_square


@pytest.fixture
def square(square_path):
    return EpisodeDataset(square_path, clip_length=4, frame_skip=2, in_memory=True)


@pytest.fixture
def small_model():
    def make(**sizes):
        return LeWorldModel(replace(LEARNING, **sizes), action_dim=4, generator=seeded(0))

    return make
