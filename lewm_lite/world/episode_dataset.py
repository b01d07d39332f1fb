"""Clips of episodes, read from disk as they are asked for: a dataset may be larger than memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Self

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lewm_lite.checks import check_positive_integer
from lewm_lite.world.episode_file import DatasetError, open_file, read_index, read_rows, state_column

SPLITS = ("train", "test")
TEST_EVERY = 10  # every tenth episode is held out


class Clip(NamedTuple):
    """What a world model learns from; a ``DataLoader`` puts a batch axis in front of both."""

    frames: Tensor  # (time, 3, height, width) uint8: normalise_frames() makes them what an encoder wants
    actions: Tensor  # (time, frame_skip * action_dim) float32, normalised


class WholeEpisode(NamedTuple):
    """An episode as it is stored, one row a step."""

    frames: Tensor  # (rows, 3, height, width) uint8
    actions: Tensor  # (rows, action_dim) float32, as the environment got them; NaN where none was done
    proprio: Tensor | None  # (rows, ...) float32, if the file has it
    state: Tensor | None  # (rows, ...) float32, if the file has it


class EpisodeDataset(Dataset[Clip]):
    r"""Every clip of a file in the public flat columns, by episode in a training and a test part.

    A clip of length $T$ at a frame skip of $f$ is $T$ frames, $f$ rows apart, and with each frame the $f$ actions from
    it to the next, end to end. An action is normalised, $(a - \mu) / \sigma$, each number by its own mean and standard
    deviation over the training episodes; a row without an action, NaN in the file, counts as an average one, 0.

    Every tenth episode is for testing (the last one, if there are fewer than ten), so no clip of a test episode shares
    a frame with one to train on.

    Args:
        path: an HDF5 file, by :func:`~lewm_lite.world.episodes.collect_episodes` or of the same columns.
        clip_length: frames in a clip, >= 1.
        split: ``"train"`` or ``"test"``.
        frame_skip: rows from one frame of a clip to the next, >= 1.
        in_memory: read the split's pixels once, here, and nothing from disk afterwards; for files that fit.
    Raises:
        FileNotFoundError: nothing at ``path``. ValueError: another split, or lengths below 1.
        DatasetError: the file is not whole, see :func:`~lewm_lite.world.episode_file.read_index`, or has no episode in
            this split, or none that is long enough. Damaged pixels are met when they are read.
    Source:
        Clips and blocks of actions as in the authors' loader (galilai-group/stable-worldmodel, ``HDF5Dataset``). Theirs
        normalises by all episodes and splits by clip, so that a test clip has its neighbours among the training clips.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clip_length: int,
        split: str = "train",
        frame_skip: int = 1,
        in_memory: bool = False,
    ) -> None:
        check_positive_integer("clip_length", clip_length)
        check_positive_integer("frame_skip", frame_skip)
        if split not in SPLITS:
            raise ValueError(f"split must be 'train' or 'test', got {split!r}")
        self.path, self.clip_length, self.split, self.frame_skip = Path(path), clip_length, split, frame_skip
        self._index = index = read_index(self.path)
        self.image_size, self.columns = index.image_size, index.columns
        held_out = held_out_episodes(len(index.starts))
        self.episodes = np.flatnonzero(held_out if split == "test" else ~held_out)  # numbers in the file
        if not len(self.episodes):
            raise DatasetError(f"{path} has {len(index.starts)} episode, so none to test on: it needs 2 at least")
        self.action_mean, self.action_std = _moments(index.actions, index.starts, index.lengths, ~held_out)
        self._normalised = np.nan_to_num((index.actions - self.action_mean) / self.action_std).astype(np.float32)
        clips = np.maximum(index.lengths[self.episodes] - clip_length * frame_skip + 1, 0)
        self._clips_until = np.cumsum(clips)
        if not len(self):
            raise DatasetError(
                f"{path}: a clip spans {clip_length * frame_skip} rows (clip_length {clip_length} x frame_skip "
                f"{frame_skip}), and the longest {split} episode has {index.lengths[self.episodes].max()}"
            )
        self._file: h5py.File | None = None
        self._open_columns: dict[str, h5py.Dataset] = {}
        self._process = -1
        self._pixels = None
        if in_memory:
            with self:
                self._pixels = self._read_all()

    @property
    def action_dim(self) -> int:
        """Numbers in one action as a model gets it: ``frame_skip`` actions of the environment, end to end."""
        return self.frame_skip * self._index.actions.shape[1]

    def __len__(self) -> int:
        return int(self._clips_until[-1])

    def __getitem__(self, index: int) -> Clip:
        """Clip ``index`` of the split; counting goes through each episode, one row further each time."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)}")
        row = self.first_row(index)
        span = self.clip_length * self.frame_skip
        frames = self._frames(slice(row, row + span, self.frame_skip))
        actions = self._normalised[row : row + span].reshape(self.clip_length, -1)
        return Clip(frames, torch.from_numpy(actions.copy()))

    def first_row(self, index: int) -> int:
        """The row of the file at which a clip begins."""
        index = index % len(self)
        place = int(np.searchsorted(self._clips_until, index, side="right"))
        before = int(self._clips_until[place - 1]) if place else 0
        return int(self._index.starts[self.episodes[place]]) + index - before

    def episode(self, place: int) -> WholeEpisode:
        """One episode of the split, whole; ``place`` counts from 0 to ``len(dataset.episodes) - 1``."""
        number = self.episodes[place]
        start = int(self._index.starts[number])
        rows = slice(start, start + int(self._index.lengths[number]))
        state = state_column(self.columns)
        actions = torch.from_numpy(self._index.actions[rows].copy())
        return WholeEpisode(self._frames(rows), actions, self._numbers("proprio", rows), self._numbers(state, rows))

    def close(self) -> None:
        """Close the file, so that it may be written to; what is read from disk afterwards opens it again.

        The dataset is a context manager too, which closes its file at the end: ``with EpisodeDataset(…) as dataset:``.
        """
        file, self._file, self._open_columns = self._file, None, {}
        if file is not None and self._process == os.getpid():  # another process's file is not ours to close
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def normalise_actions(self, actions: Tensor) -> Tensor:
        """Actions of the environment, ``(..., action_dim / frame_skip)``, as a model gets them."""
        return (actions - torch.from_numpy(self.action_mean)) / torch.from_numpy(self.action_std)

    def restore_actions(self, actions: Tensor) -> Tensor:
        """The inverse of :meth:`normalise_actions`."""
        return actions * torch.from_numpy(self.action_std) + torch.from_numpy(self.action_mean)

    def _numbers(self, name: str, rows: slice) -> Tensor | None:
        if name not in self.columns:
            return None
        return torch.from_numpy(read_rows(self.path, self._column(name), rows).astype(np.float32))

    def _frames(self, rows: slice) -> Tensor:
        if self._pixels is None:
            pixels = torch.from_numpy(read_rows(self.path, self._column("pixels"), rows))
        else:  # rows are of one episode
            place = int(np.searchsorted(self._index.starts, rows.start, side="right")) - 1
            first = int(self._index.starts[place])
            pixels = torch.from_numpy(self._pixels[place][rows.start - first : rows.stop - first : rows.step])
        frames = pixels.movedim(-1, 1) if self._index.channels_last else pixels
        return frames.clone(memory_format=torch.contiguous_format)

    def _read_all(self) -> dict[int, np.ndarray]:
        """Pixels of the split's episodes, by their numbers in the file."""
        column, index = self._column("pixels"), self._index
        ends = index.starts + index.lengths
        return {
            int(number): read_rows(self.path, column, slice(int(index.starts[number]), int(ends[number])))
            for number in self.episodes
        }

    def _column(self, name: str) -> h5py.Dataset:
        # An open HDF5 file can't be shared between processes: each worker of a DataLoader opens its own.
        if self._file is None or self._process != os.getpid():
            self._file, self._process = open_file(self.path), os.getpid()
            self._open_columns = {column: self._file[column] for column in self.columns}
        return self._open_columns[name]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None, "_open_columns": {}}


def held_out_episodes(count: int) -> np.ndarray:
    """Which of a file's episodes are for testing: ``(count,)`` booleans."""
    held_out = np.arange(count) % TEST_EVERY == TEST_EVERY - 1
    if 1 < count < TEST_EVERY:
        held_out[-1] = True
    return held_out


def _moments(
    actions: np.ndarray, starts: np.ndarray, lengths: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each number of an action; 1 for one that never changes, so that it stays 0."""
    rows = np.repeat(chosen, lengths)
    used = actions[rows][np.isfinite(actions[rows]).all(1)].astype(np.float64)
    if not len(used):
        return np.zeros(actions.shape[1], np.float32), np.ones(actions.shape[1], np.float32)
    std = used.std(0)
    return used.mean(0).astype(np.float32), np.where(std > 0, std, 1).astype(np.float32)
