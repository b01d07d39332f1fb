"""A file of episodes in the public flat columns: opened for reading only, and refused if it isn't whole."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np

EPISODE_NAMES, STEP_NAME = ("episode_idx", "ep_idx"), "step_idx"
STATE_NAMES = ("state", "observation")
_TOO_LARGE = 2.0**62  # for a count
_BUILT_IN_FILTERS = 256  # HDF5 numbers what needs a plugin from here on


class DatasetError(ValueError):
    """A file that can't be trained on. The message says which, what it got, and what it needs."""


@dataclass(frozen=True)
class EpisodeIndex:
    """Where each episode of a file lies, and everything but the pixels that clips need.

    ``starts`` and ``lengths`` are in rows; ``actions`` is the whole column, since beside pixels it weighs nothing.
    """

    starts: np.ndarray  # (episodes,) int64
    lengths: np.ndarray  # (episodes,) int64
    actions: np.ndarray  # (rows, action_dim) float32; NaN at an episode's last row where nothing was done any more
    image_size: tuple[int, int]  # height, width
    channels_last: bool
    columns: tuple[str, ...]


def open_file(path: str | Path) -> h5py.File:
    """Open for reading; the file is not touched, whatever it is.

    Raises:
        FileNotFoundError: nothing there. DatasetError: no HDF5 file, or one that was cut off.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no dataset at {path}: `python -m lewm_lite collect --out {path}` makes one")
    if path.stat().st_size == 0:
        raise DatasetError(f"{path} is empty, 0 bytes: it was never written")
    try:
        return h5py.File(path, "r", locking="best-effort", rdcc_nbytes=2**22)
    except OSError as error:
        cut_off = "truncated" in str(error)
        what = "was cut off: copy it again" if cut_off else "is not an HDF5 file that can be read"
        raise DatasetError(f"{path} {what} ({_first_line(error)})") from error


def read_index(path: str | Path) -> EpisodeIndex:
    """Check a file from end to end, all but what its pixels show, and say where its episodes lie.

    Raises:
        FileNotFoundError: nothing there.
        DatasetError: not HDF5 or cut off; empty; a column missing, of another length, type or shape; damaged numbers;
            NaN or infinite actions; rows of an episode missing or out of order.
    """
    with open_file(path) as file:
        columns = _columns(path, file)
        for name in ("pixels", "action"):
            if name not in columns:
                raise DatasetError(f"{path} has no column {name}: it holds {', '.join(columns) or 'none'}")
        _check_rows(path, file, columns)
        _check_numbers(path, file, columns)
        image_size, channels_last = _check_pixels(path, file["pixels"])
        starts, lengths = _episodes(path, file, columns)
        actions = _actions(path, file["action"], starts, lengths)
        return EpisodeIndex(starts, lengths, actions, image_size, channels_last, columns)


def read_rows(path: str | Path, column: h5py.Dataset, rows: slice) -> np.ndarray:
    """Rows of a column.

    Raises:
        DatasetError: what is stored there is damaged, with the rows.
    """
    try:
        if rows.step in (None, 1):
            return column[rows]
        # HDF5 takes a slice with steps apart, element by element; single rows come out twenty times faster.
        return np.stack([column[row] for row in range(*rows.indices(len(column)))])
    except OSError as error:
        where = f"rows {rows.start or 0} to {(rows.stop or len(column)) - 1}"
        name = column.name.removeprefix("/")
        raise DatasetError(f"{path}: {name} can't be read, {where} are damaged ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _columns(path: str | Path, file: h5py.File) -> tuple[str, ...]:
    name = "its table of contents"
    found = []
    try:
        for name in file:
            if isinstance(file[name], h5py.Dataset):
                found.append(name)
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{path}: {name} can't be read, the file is damaged ({_first_line(error)})") from error
    return tuple(sorted(found))


def _check_rows(path: str | Path, file: h5py.File, columns: tuple[str, ...]) -> None:
    rows = {name: (file[name].shape or (0,))[0] for name in columns if not name.startswith("ep_") or name == "ep_idx"}
    if rows["pixels"] == 0:
        raise DatasetError(f"{path} holds no frames: pixels has shape {file['pixels'].shape}")
    for name in ("action", "proprio", *STATE_NAMES, *EPISODE_NAMES, STEP_NAME):
        if rows.get(name, rows["pixels"]) != rows["pixels"]:
            raise DatasetError(
                f"{path}: {name} has {rows[name]} rows and pixels {rows['pixels']}; there must be as many"
            )


def _check_numbers(path: str | Path, file: h5py.File, columns: tuple[str, ...]) -> None:
    """Refuse a state or proprio of anything but numbers: an episode hands both on as float32."""
    for name in ("proprio", state_column(columns)):
        if name in columns and file[name].dtype.kind not in "fiub":
            raise DatasetError(f"{path}: {name} must be numbers, a row of them for each frame, got {file[name].dtype}")


def state_column(columns: tuple[str, ...]) -> str:
    """The column that holds the state of the world, if any does."""
    return next((name for name in STATE_NAMES if name in columns), STATE_NAMES[0])


def _whole_numbers(path: str | Path, column: h5py.Dataset) -> np.ndarray:
    """A column that counts, ``(rows,)`` int64."""
    name, shape = column.name.removeprefix("/"), column.shape or ()
    if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)) or column.dtype.kind not in "fiu":
        raise DatasetError(f"{path}: {name} must be one whole number a row, got shape {shape} of {column.dtype}")
    numbers = read_rows(path, column, slice(None)).reshape(-1)
    bad = np.flatnonzero((numbers != np.floor(numbers)) | ~(np.abs(numbers.astype(np.float64)) < _TOO_LARGE))
    if len(bad):
        raise DatasetError(f"{path}: {name} must be one whole number a row, got {numbers[bad[0]]} at row {bad[0]}")
    return numbers.astype(np.int64)


def _check_pixels(path: str | Path, pixels: h5py.Dataset) -> tuple[tuple[int, int], bool]:
    shape = pixels.shape
    if pixels.dtype != np.uint8:
        raise DatasetError(
            f"{path}: pixels must be uint8, whole numbers from 0 to 255, got {pixels.dtype}: "
            "store frames as they are seen; they are normalised when a model gets them"
        )
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or 0 in shape:
        raise DatasetError(f"{path}: pixels must be (rows, height, width, 3) or (rows, 3, height, width), got {shape}")
    _check_filters(path, pixels)
    last = shape[3] == 3
    return ((shape[1], shape[2]) if last else (shape[2], shape[3])), last


def _check_filters(path: str | Path, pixels: h5py.Dataset) -> None:
    """The public datasets are packed by filters that plain HDF5 doesn't have; a package of its own brings them."""
    properties = pixels.id.get_create_plist()
    needed = [properties.get_filter(place)[0] for place in range(properties.get_nfilters())]
    if any(code >= _BUILT_IN_FILTERS for code in needed) and find_spec("hdf5plugin") is not None:
        import_module("hdf5plugin")
    for code in needed:
        if not h5py.h5z.filter_avail(code):
            raise DatasetError(
                f"{path}: pixels are packed by HDF5 filter {code}, which is not installed: "
                "pip install 'lewm-lite[public-data]' brings the usual ones"
            )


def _episodes(path: str | Path, file: h5py.File, columns: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    name = next((name for name in EPISODE_NAMES if name in columns), None)
    told = "ep_len" in columns and "ep_offset" in columns
    rows = len(file["pixels"])
    if name is None and not told:
        raise DatasetError(f"{path} says nowhere where episodes begin: it needs episode_idx, or ep_len and ep_offset")
    found = _told_episodes(path, file, rows) if told else None
    if name is not None:
        marked = _marked_episodes(path, name, _whole_numbers(path, file[name]))
        if found is not None and not all(np.array_equal(one, other) for one, other in zip(found, marked, strict=True)):
            raise DatasetError(f"{path}: {name} and ep_len with ep_offset disagree about where episodes begin")
        found = marked
    starts, lengths = found
    if STEP_NAME in columns:
        steps = _whole_numbers(path, file[STEP_NAME])
        inner = np.ones(rows, bool)
        inner[starts] = False
        jumps = np.flatnonzero(inner & (np.diff(steps, prepend=steps[0] - 1) != 1))
        if len(jumps):
            episode = np.searchsorted(starts, jumps[0], side="right") - 1
            raise DatasetError(
                f"{path}: step_idx must count up by one, but in episode {episode} {steps[jumps[0]]} follows "
                f"{steps[jumps[0] - 1]} at row {jumps[0]}: rows are missing or out of order"
            )
    return starts, lengths


def _told_episodes(path: str | Path, file: h5py.File, rows: int) -> tuple[np.ndarray, np.ndarray]:
    lengths, starts = (_whole_numbers(path, file[name]) for name in ("ep_len", "ep_offset"))
    whole = len(starts) == len(lengths) > 0 and lengths.min() > 0
    if not whole or not np.array_equal(starts, np.cumsum(lengths) - lengths) or lengths.sum() != rows:
        raise DatasetError(
            f"{path}: ep_len and ep_offset must lay episodes end to end over all {rows} rows, "
            f"got {len(lengths)} lengths with sum {lengths.sum()} and {len(starts)} offsets"
        )
    return starts, lengths


def _marked_episodes(path: str | Path, name: str, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = np.flatnonzero(np.concatenate([[True], marks[1:] != marks[:-1]]))
    if len(np.unique(marks[starts])) != len(starts):
        again = [mark for place, mark in enumerate(marks[starts]) if mark in marks[starts[:place]]][0]
        raise DatasetError(f"{path}: the rows of an episode must stand together, but {name} comes back to {again}")
    return starts.astype(np.int64), np.diff(np.append(starts, len(marks))).astype(np.int64)


def _actions(path: str | Path, column: h5py.Dataset, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    if column.ndim != 2 or column.shape[1] == 0 or column.dtype.kind not in "fiu":
        raise DatasetError(
            f"{path}: action must be numbers of shape (rows, action_dim), got {column.shape} of {column.dtype}"
        )
    actions = read_rows(path, column, slice(None)).astype(np.float32)
    bad = ~np.isfinite(actions)
    if np.isinf(actions).any():
        raise DatasetError(f"{path}: action holds infinity at row {np.flatnonzero(np.isinf(actions).any(1))[0]}")
    bad[starts + lengths - 1] = False  # an episode's last frame may have none
    if bad.any():
        raise DatasetError(
            f"{path}: action holds NaN at {int(bad.any(1).sum())} rows, the first being row "
            f"{np.flatnonzero(bad.any(1))[0]}; only an episode's last row may, where nothing was done any more"
        )
    return actions
