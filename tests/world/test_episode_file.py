"""A file of the public columns opens, whoever made it; one that is not whole is refused, and not touched."""

from __future__ import annotations

import hashlib

import gymnasium
import h5py
import numpy as np
import pytest

from lewm_lite import EpisodeDataset, collect_episodes
from lewm_lite.world.episode_file import DatasetError, open_file, read_index
from lewm_lite.world.policies import RandomPolicy, ThroughDoor
from lewm_lite.world.two_room import TwoRoom

LENGTHS = (5, 9, 7)


def columns(**changed) -> dict[str, np.ndarray]:
    """A small dataset of the public columns, made by hand; None leaves a column out."""
    generator = np.random.default_rng(0)
    rows = sum(LENGTHS)
    ends = np.cumsum(LENGTHS) - 1
    action = generator.normal(size=(rows, 2)).astype(np.float32)
    action[ends] = np.nan
    made = {
        "pixels": generator.integers(0, 256, (rows, 12, 16, 3), dtype=np.uint8),
        "action": action,
        "proprio": generator.normal(size=(rows, 4)),
        "state": generator.normal(size=(rows, 7)).astype(np.float32),
        "episode_idx": np.repeat(np.arange(3), LENGTHS),
        "step_idx": np.concatenate([np.arange(length) for length in LENGTHS]),
        "ep_len": np.array(LENGTHS, np.int32),
        "ep_offset": np.cumsum(LENGTHS) - LENGTHS,
        **changed,
    }
    return {name: values for name, values in made.items() if values is not None}


def write(path, made):
    with h5py.File(path, "w") as file:
        for name, values in made.items():
            file[name] = values
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made.h5"


def opened(path):
    """Everything that a reader of the file gets to see."""
    parts = [EpisodeDataset(path, clip_length=2, frame_skip=2, split=split) for split in ("train", "test")]
    episodes = [part.episode(place) for part in parts for place in range(len(part.episodes))]
    return [None if column is None else column.numpy().tobytes() for episode in episodes for column in episode]


# ------------------------------------------------------------------------------------------------ files of the layout


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ep_len": None, "ep_offset": None},
        {"ep_len": None},
        {"episode_idx": None, "step_idx": None},
        {"episode_idx": None, "ep_idx": columns()["episode_idx"], "ep_len": None},
        {"episode_idx": columns()["episode_idx"][:, None] + 40, "step_idx": columns()["step_idx"][:, None] + 3},
        {"episode_idx": columns()["episode_idx"].astype(np.float32)},
        {"state": None, "proprio": None},
        {"state": None, "observation": columns()["state"]},
        {"pixels": columns()["pixels"].transpose(0, 3, 1, 2)},
        {"action": columns()["action"].astype(np.float64)},
        {"reward": np.zeros(3), "note": np.bytes_("by hand")},
    ],
    ids=lambda changed: " ".join(changed) or "as it is",
)
def test_every_spelling_of_the_layout_opens(changed, path):
    index = read_index(write(path, columns(**changed)))
    assert index.starts.tolist() == [0, 5, 14] and index.lengths.tolist() == list(LENGTHS)
    assert index.image_size == (12, 16)
    assert np.array_equal(index.actions, columns()["action"], equal_nan=True)


def test_a_group_beside_the_columns_does_no_harm(path):
    write(path, columns())
    with h5py.File(path, "a") as file:
        file.create_group("meta").attrs["by"] = "hand"
    assert "meta" not in read_index(path).columns


def test_opening_and_reading_leaves_the_file_as_it_was(path):
    write(path, columns())
    before = path.read_bytes(), path.stat().st_mtime_ns
    path.chmod(0o444)
    opened(path)
    with pytest.raises((OSError, ValueError, KeyError)), open_file(path) as file:
        del file["pixels"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


# ------------------------------------------------------------------------------------------------------ whole or not


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pixels": None}, "has no column pixels: it holds action, ep_len, ep_offset, episode_idx, proprio"),
        ({"action": None}, "has no column action: it holds ep_len"),
        (
            {"episode_idx": None, "ep_offset": None},
            "says nowhere where episodes begin: it needs episode_idx, or ep_len",
        ),
        ({"pixels": columns()["pixels"][:0]}, r"holds no frames: pixels has shape \(0, 12, 16, 3\)"),
        ({"action": columns()["action"][:-1]}, "action has 20 rows and pixels 21; there must be as many"),
        ({"state": columns()["state"][:4]}, "state has 4 rows and pixels 21; there must be as many"),
        ({"proprio": columns()["proprio"][:4]}, "proprio has 4 rows and pixels 21"),
        ({"episode_idx": columns()["episode_idx"][:4]}, "episode_idx has 4 rows and pixels 21"),
        ({"step_idx": columns()["step_idx"][:4]}, "step_idx has 4 rows and pixels 21"),
        ({"pixels": columns()["pixels"] / 255}, "pixels must be uint8, whole numbers from 0 to 255, got float64"),
        ({"pixels": np.full((21, 12, 16, 3), np.nan, np.float32)}, "pixels must be uint8, .* got float32"),
        ({"pixels": columns()["pixels"].astype(np.int64) * 2}, "pixels must be uint8, .* got int64"),
        (
            {"pixels": columns()["pixels"][..., 0]},
            r"pixels must be \(rows, height, width, 3\) or .*, got \(21, 12, 16\)",
        ),
        ({"pixels": columns()["pixels"][..., :2]}, r"pixels must be \(rows, height, width, 3\) or"),
        ({"action": columns()["action"][:, 0]}, r"action must be numbers of shape \(rows, action_dim\), got \(21,\)"),
        (
            {"action": columns()["action"][:, :0]},
            r"action must be numbers of shape \(rows, action_dim\), got \(21, 0\)",
        ),
        ({"action": columns()["action"] > 0}, "action must be numbers of shape .* of bool"),
        ({"action": np.full((21, 2), np.nan)}, "action holds NaN at 18 rows, the first being row 0; only an episode's"),
        ({"action": np.full((21, 2), np.inf)}, "action holds infinity at row 0"),
        ({"ep_len": np.array([5, 9, 8])}, "ep_len and ep_offset must lay episodes end to end over all 21 rows, got 3"),
        ({"ep_len": np.array([5, 16])}, "ep_len and ep_offset must lay episodes end to end"),
        (
            {"ep_len": np.array([], int), "ep_offset": np.array([], int)},
            "ep_len and ep_offset must lay episodes end to",
        ),
        (
            {"ep_len": np.array([9, 5, 7]), "ep_offset": np.array([0, 9, 14])},
            "episode_idx and ep_len .* disagree about",
        ),
        (
            {"episode_idx": np.repeat([0, 1, 0], LENGTHS), "ep_len": None},
            "must stand together, but episode_idx comes back",
        ),
        (
            {"step_idx": np.delete(np.concatenate([np.arange(length) for length in (5, 10, 7)]), 8)},
            "step_idx must count up by one, but in episode 1 4 follows 2 at row 8: rows are missing or out of order",
        ),
        (
            {"episode_idx": np.where(np.arange(21) == 6, np.nan, columns()["episode_idx"])},
            "episode_idx must be one whole number a row, got nan at row 6",
        ),
        (
            {"episode_idx": columns()["episode_idx"] + 0.5},
            "episode_idx must be one whole number a row, got 0.5 at row 0",
        ),
        (
            {"episode_idx": np.full(21, 1e300), "step_idx": None, "ep_len": None},
            "episode_idx must be one whole number a row, got 1e\\+300 at row 0",
        ),
        (
            {"episode_idx": np.zeros((21, 2), int)},
            r"episode_idx must be one whole number a row, got shape \(21, 2\) of int64",
        ),
        (
            {"step_idx": np.zeros((21, 2), int)},
            r"step_idx must be one whole number a row, got shape \(21, 2\) of int64",
        ),
        ({"step_idx": np.array([b"one"] * 21)}, r"step_idx must be one whole number a row, got shape \(21,\) of \|S3"),
        ({"step_idx": np.full(21, np.inf)}, "step_idx must be one whole number a row, got inf at row 0"),
        ({"ep_len": np.array([b"5", b"9", b"7"])}, r"ep_len must be one whole number a row, got shape \(3,\) of \|S1"),
        ({"ep_len": np.int64(21)}, r"ep_len must be one whole number a row, got shape \(\) of int64"),
        ({"ep_offset": np.int64(0)}, r"ep_offset must be one whole number a row, got shape \(\) of int64"),
        ({"pixels": columns()["pixels"][:, :0]}, r"pixels must be \(rows, height, width, 3\) or .* \(21, 0, 16, 3\)"),
        ({"pixels": columns()["pixels"][:, :, :0]}, r"pixels must be .*, got \(21, 12, 0, 3\)"),
        ({"state": np.array([b"running"] * 21)}, "state must be numbers, a row of them for each frame, got .S7"),
        ({"state": None, "observation": np.array([b"on"] * 21)}, "observation must be numbers, a row of them"),
        ({"proprio": np.array([b"here"] * 21)}, "proprio must be numbers, a row of them for each frame, got .S4"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_refused_in_a_sentence(changed, message, path):
    write(path, columns(**changed))
    with pytest.raises(DatasetError, match=message) as error:
        EpisodeDataset(path, clip_length=2)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there_says_how_to_make_one(path):
    with pytest.raises(
        FileNotFoundError, match=r"no dataset at .*made.h5: `python -m lewm_lite collect --out .*made.h5`"
    ):
        read_index(path)
    with pytest.raises(FileNotFoundError, match="no dataset at "):
        read_index(path.parent)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty, 0 bytes"), (b"no", "is not an HDF5 file that can be read"), (b"x" * 5000, "is not an HDF5 file")],
)
def test_a_file_of_another_kind_is_refused(content, message, path):
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_index(path)
    assert path.read_bytes() == content


def test_pixels_packed_by_what_is_not_installed_name_what_to_install(path, monkeypatch):
    made = columns()
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((1, 12, 16, 3))
        properties.set_filter(32999, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple(made["pixels"].shape)
        h5py.h5d.create(file.id, b"pixels", h5py.h5t.NATIVE_UINT8, space, properties)
        for name in ("action", "episode_idx"):
            file[name] = made[name]
    with pytest.raises(DatasetError, match=r"packed by HDF5 filter 32999, .* pip install 'lewm-lite\[public-data\]'"):
        read_index(path)


# ----------------------------------------------------------------------------------------------------------- damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small file of ours."""
    path = tmp_path_factory.mktemp("whole") / "rooms.h5"
    env = gymnasium.make("lewm_lite/TwoRoom-v0", size=16)
    collect_episodes(env, ThroughDoor(), episodes=3, path=path, seed=0, max_steps=12)
    return path


def damaged(content: bytes, generator: np.random.Generator) -> bytes:
    """The content cut off, with one bit turned over, or with a stretch of zeros."""
    place = int(generator.integers(len(content)))
    kind = generator.integers(3)
    if kind == 0:
        return content[:place]
    changed = bytearray(content)
    if kind == 1:
        changed[place] ^= 1 << int(generator.integers(8))
    else:
        changed[place : place + 32] = bytes(len(changed[place : place + 32]))
    return bytes(changed)


def test_damage_anywhere_is_met_or_touched_nothing_that_is_read(whole, path):
    content, truth, generator = whole.read_bytes(), opened(whole), np.random.default_rng(0)
    refused = 0
    for _ in range(120):
        spoilt = damaged(content, generator)
        path.write_bytes(spoilt)
        try:
            assert opened(path) == truth
        except DatasetError:
            refused += 1
        assert path.read_bytes() == spoilt  # nobody tried to mend it
    assert refused > 60


def test_a_file_that_was_cut_off_says_so(whole, path):
    path.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(DatasetError, match="was cut off: copy it again"):
        read_index(path)


def test_damaged_pixels_are_met_when_they_are_read_and_name_the_rows(whole, path):
    with h5py.File(whole) as file:
        chunk = file["pixels"].id.get_chunk_info(20)
    row, index = chunk.chunk_offset[0], read_index(whole)
    (episode,) = (
        (start, start + rows - 1) for start, rows in zip(index.starts, index.lengths) if start <= row < start + rows
    )
    content = bytearray(whole.read_bytes())
    content[chunk.byte_offset + 8] ^= 255
    path.write_bytes(content)
    dataset = EpisodeDataset(path, clip_length=2)
    with pytest.raises(DatasetError, match=r"pixels can't be read, rows \d+ to \d+ are damaged"):
        [dataset[place] for place in range(len(dataset))]
    dataset[0]  # the rest is still there
    with pytest.raises(DatasetError, match="pixels can't be read, rows {} to {} are damaged".format(*episode)):
        EpisodeDataset(path, clip_length=2, in_memory=True)


def test_damage_is_met_in_pixels_that_could_not_be_packed_smaller(path):
    class Snow(TwoRoom):
        def frame(self, state=None):
            return self.np_random.integers(0, 256, (16, 16, 3), dtype=np.uint8)

    env = Snow(16)
    collect_episodes(env, RandomPolicy(env.action_space), episodes=2, path=path, seed=0, max_steps=4)
    with h5py.File(path) as file:
        place = file["pixels"].id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="pixels can't be read, rows 0 to 4 are damaged"):
        EpisodeDataset(path, clip_length=2).episode(0)


def test_our_own_file_is_the_same_after_being_read(whole):
    before = hashlib.sha256(whole.read_bytes()).hexdigest()
    opened(whole)
    assert hashlib.sha256(whole.read_bytes()).hexdigest() == before
