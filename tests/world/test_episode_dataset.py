"""Clips are what the file says, split by episode, normalised by the training part, and reach workers and training."""

from __future__ import annotations

import multiprocessing
import os
import pickle

import gymnasium
import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lewm_lite import EpisodeDataset, collect_episodes, normalise_frames, seeded
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.training.world_model_loss import world_model_loss
from lewm_lite.world.episode_dataset import held_out_episodes
from lewm_lite.world.episode_file import DatasetError
from lewm_lite.world.policies import RandomPolicy

LENGTHS = np.array([8, 3, 12, 9, 7, 6, 10, 5, 11, 9, 8, 7])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Twelve episodes that say where they are: row r has brightness r and action (r, 1000 + 2 r)."""
    place = tmp_path_factory.mktemp("data") / "counted.h5"
    rows = int(LENGTHS.sum())
    action = np.stack([np.arange(rows), 1000 + 2 * np.arange(rows)], 1).astype(np.float32)
    action[np.cumsum(LENGTHS) - 1] = np.nan
    with h5py.File(place, "w") as file:
        file["pixels"] = np.arange(rows, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
        file["action"] = action
        file["ep_len"], file["ep_offset"] = LENGTHS, np.cumsum(LENGTHS) - LENGTHS
        file["state"] = np.arange(rows * 3.0).reshape(rows, 3)
    return place


def rows_of(clip) -> list[int]:
    return clip.frames[:, 0, 0, 0].tolist()


def every_clip(path, split, length, skip):
    dataset = EpisodeDataset(path, clip_length=length, frame_skip=skip, split=split)
    return dataset, [dataset[place] for place in range(len(dataset))]


@pytest.mark.parametrize(("length", "skip"), [(4, 1), (2, 3), (1, 5), (3, 2)])
def test_clips_are_every_window_of_every_episode_and_no_other(path, length, skip):
    starts = np.cumsum(LENGTHS) - LENGTHS
    expected = {"train": [], "test": []}
    for number, (start, rows) in enumerate(zip(starts, LENGTHS)):
        expected["test" if number == 9 else "train"] += [
            list(range(first, first + length * skip, skip)) for first in range(start, start + rows - length * skip + 1)
        ]
    for split, windows in expected.items():
        dataset, clips = every_clip(path, split, length, skip)
        assert [rows_of(clip) for clip in clips] == windows
        assert [dataset.first_row(place) for place in range(len(dataset))] == [window[0] for window in windows]


def test_shapes_and_types_are_what_the_model_takes(path):
    dataset = EpisodeDataset(path, clip_length=3, frame_skip=2)
    clip = dataset[0]
    assert clip.frames.shape == (3, 3, 4, 6) and clip.frames.dtype == torch.uint8 and clip.frames.is_contiguous()
    assert clip.actions.shape == (3, 4) and clip.actions.dtype == torch.float32
    assert dataset.action_dim == 4 and dataset.image_size == (4, 6)


def test_each_frame_has_the_actions_to_the_next_end_to_end(path):
    dataset = EpisodeDataset(path, clip_length=2, frame_skip=3)
    for place in (0, 5, len(dataset) - 1):
        restored = dataset.restore_actions(dataset[place].actions.view(2, 3, 2))
        row = dataset.first_row(place)
        expected = np.arange(row, row + 6).reshape(2, 3)
        keep = ~np.isin(expected, np.cumsum(LENGTHS) - 1)
        assert restored[..., 0].numpy()[keep] == pytest.approx(expected[keep], abs=1e-3)
        assert restored[..., 1].numpy()[keep] == pytest.approx(1000 + 2 * expected[keep], abs=1e-2)


def test_a_row_without_an_action_counts_as_an_average_one(path):
    dataset = EpisodeDataset(path, clip_length=4, frame_skip=2)
    assert dataset[0].actions[-1, 2:].tolist() == [0, 0]
    assert not (dataset[0].actions[:-1] == 0).any()


def test_actions_are_normalised_by_the_training_episodes_alone(path):
    rows = np.arange(LENGTHS.sum())
    numbers = np.repeat(np.arange(12), LENGTHS)
    used = rows[(numbers != 9) & ~np.isin(rows, np.cumsum(LENGTHS) - 1)]
    for split in ("train", "test"):
        dataset = EpisodeDataset(path, clip_length=1, split=split)
        assert dataset.action_mean == pytest.approx([used.mean(), 1000 + 2 * used.mean()], rel=1e-5)
        assert dataset.action_std == pytest.approx([used.std(), 2 * used.std()], rel=1e-5)
    raw = torch.tensor([[3.0, 1006.0], [50.0, 1100.0]])
    assert torch.allclose(dataset.restore_actions(dataset.normalise_actions(raw)), raw, atol=1e-3)


def test_an_action_that_never_changes_stays_zero(path, tmp_path):
    copy = tmp_path / "a.h5"
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "a") as file:
        file["action"][:, 1] = 5.0
    dataset = EpisodeDataset(copy, clip_length=2)
    assert dataset.action_std[1] == 1 and all((dataset[place].actions[:, 1] == 0).all() for place in range(20))


def test_the_split_is_by_episode_and_parts_share_no_frame(path):
    train, test = (every_clip(path, split, 2, 2)[1] for split in ("train", "test"))
    seen = {row for clip in train for row in rows_of(clip)}
    held = {row for clip in test for row in rows_of(clip)}
    assert seen and held and not seen & held


@pytest.mark.parametrize(
    ("count", "held_out"), [(1, []), (2, [1]), (9, [8]), (10, [9]), (12, [9]), (40, [9, 19, 29, 39])]
)
def test_every_tenth_episode_is_held_out_and_one_at_least(count, held_out):
    assert np.flatnonzero(held_out_episodes(count)).tolist() == held_out


def test_counting_from_the_end_and_beyond_it(path):
    dataset = EpisodeDataset(path, clip_length=2)
    assert rows_of(dataset[-1]) == rows_of(dataset[len(dataset) - 1])
    for place in (len(dataset), -len(dataset) - 1):
        with pytest.raises(IndexError):
            dataset[place]


def test_an_episode_comes_whole_with_its_own_actions(path):
    dataset = EpisodeDataset(path, clip_length=2, split="test")
    (number,) = dataset.episodes
    episode = dataset.episode(0)
    start = int(LENGTHS[:number].sum())
    assert episode.frames[:, 0, 0, 0].tolist() == list(range(start, start + 9))
    assert episode.actions[:-1, 0].tolist() == list(range(start, start + 8)) and episode.actions[-1].isnan().all()
    assert episode.state[0].tolist() == [3 * start, 3 * start + 1, 3 * start + 2] and episode.proprio is None


@pytest.mark.parametrize("channels_first", [False, True])
def test_in_memory_is_the_same_from_elsewhere(channels_first, path, tmp_path):
    if channels_first:
        copy = tmp_path / "a.h5"
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "a") as file:
            pixels = file["pixels"][:].transpose(0, 3, 1, 2)
            del file["pixels"]
            file["pixels"] = pixels
        path = copy
    for split in ("train", "test"):
        parts = {"clip_length": 3, "frame_skip": 2, "split": split}
        disk, memory = (EpisodeDataset(path, **parts, in_memory=kept) for kept in (False, True))
        assert memory[0].frames.shape == (3, 3, 4, 6)
        for place in range(len(disk)):
            assert all(torch.equal(one, other) for one, other in zip(disk[place], memory[place]))
        for place in range(len(disk.episodes)):
            assert torch.equal(disk.episode(place).frames, memory.episode(place).frames)
        memory[0].frames.zero_()
        assert torch.equal(memory[0].frames, disk[0].frames)


def test_a_loader_batches_clips_and_is_the_same_for_the_same_generator(path):
    dataset = EpisodeDataset(path, clip_length=3, frame_skip=2)
    one, two = (
        [clip.actions for clip in DataLoader(dataset, batch_size=4, shuffle=True, generator=seeded(0))]
        for _ in range(2)
    )
    assert one[0].shape == (4, 3, 4) and all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_it_can_be_pickled_while_its_file_is_open(path):
    dataset = EpisodeDataset(path, clip_length=2)
    dataset[0]
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(copy[7].frames, dataset[7].frames)


def test_a_closed_dataset_lets_its_file_be_written_and_opens_it_again(path, tmp_path):
    copy = tmp_path / "a.h5"
    copy.write_bytes(path.read_bytes())
    with EpisodeDataset(copy, clip_length=2) as dataset:
        before = dataset[3]
        with pytest.raises(OSError), h5py.File(copy, "a"):
            pass
    with h5py.File(copy, "a") as file:
        file.attrs["read"] = True
    assert torch.equal(dataset[3].frames, before.frames)
    dataset.close()
    dataset.close()
    with h5py.File(copy, "a") as file:
        file.attrs["read"] = False


def test_a_dataset_in_memory_leaves_its_file_closed(path, tmp_path):
    copy = tmp_path / "a.h5"
    copy.write_bytes(path.read_bytes())
    dataset = EpisodeDataset(copy, clip_length=2, in_memory=True)
    with h5py.File(copy, "a") as file:
        del file["pixels"]
    assert rows_of(dataset[3]) == [3, 4]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs processes that are forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_opens_a_file_of_its_own_and_leaves_ours_alone(path):
    dataset = EpisodeDataset(path, clip_length=2)
    before = dataset[0]
    ours, (reading, writing) = dataset._file, os.pipe()
    child = os.fork()
    if child == 0:  # no test runs on in here, whatever happens
        try:
            clip = dataset[0]
            own = dataset._file is not ours and dataset._process == os.getpid()
            dataset.close()
            os.write(writing, b"own" if own and torch.equal(clip.frames, before.frames) else b"shared")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        assert said.read() == b"own"
    assert dataset._file is ours and torch.equal(dataset[0].frames, before.frames)


@pytest.mark.slow
def test_workers_read_the_same_clips(path):
    dataset = EpisodeDataset(path, clip_length=2, frame_skip=2)
    dataset[0]  # the file is open here, and must not be the workers'
    loader = DataLoader(dataset, batch_size=5, num_workers=1, multiprocessing_context="spawn")
    assert [row for clip in loader for row in clip.frames[:, 0, 0, 0, 0].tolist()] == [
        dataset.first_row(place) for place in range(len(dataset))
    ]


def test_a_dataset_holds_no_pixels_until_asked(path):
    assert len(pickle.dumps(EpisodeDataset(path, clip_length=2))) < 12_000
    pixels = 4 * 6 * 3 * np.array([LENGTHS[held_out_episodes(12)].sum(), LENGTHS[~held_out_episodes(12)].sum()])
    for split, size in zip(("test", "train"), pixels):  # in memory its own, and nothing of the other split's
        asked = {"clip_length": 2, "split": split}
        empty, full = (len(pickle.dumps(EpisodeDataset(path, **asked, in_memory=kept))) for kept in (False, True))
        assert size < full - empty < size + 3000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clip_length": 0}, "clip_length must be an integer of at least 1, got 0"),
        ({"clip_length": 2, "frame_skip": 0}, "frame_skip must be an integer of at least 1, got 0"),
        ({"clip_length": 2, "split": "validation"}, "split must be 'train' or 'test', got 'validation'"),
        (
            {"clip_length": 4, "frame_skip": 5},
            r"a clip spans 20 rows \(clip_length 4 x frame_skip 5\), and the longest",
        ),
        ({"clip_length": 10, "split": "test"}, "a clip spans 10 rows .* the longest test episode has 9"),
    ],
)
def test_clips_that_cannot_be_are_refused(arguments, message, path):
    with pytest.raises(ValueError, match=message):
        EpisodeDataset(path, **arguments)


def test_one_episode_is_none_to_test_on(path, tmp_path):
    copy = tmp_path / "a.h5"
    with h5py.File(path) as file, h5py.File(copy, "w") as one:
        for name in ("pixels", "action", "state"):
            one[name] = file[name][:8]
        one["episode_idx"] = np.zeros(8)
    assert len(EpisodeDataset(copy, clip_length=2)) == 7
    with pytest.raises(DatasetError, match="has 1 episode, so none to test on: it needs 2 at least"):
        EpisodeDataset(copy, clip_length=2, split="test")


# ------------------------------------------------------------------------------------------------------------ training


def trained(path, steps: int) -> tuple[float, float]:
    """A small world model learns from a file for some steps: its loss on one fixed batch, before and after."""
    dataset = EpisodeDataset(path, clip_length=4, frame_skip=2)
    model = LeWorldModel.from_preset("lite", action_dim=dataset.action_dim)
    loader = DataLoader(dataset, batch_size=16, shuffle=True, drop_last=True, generator=seeded(0))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    batches = [batch for _ in range(10) for batch in loader][:steps]

    def loss(batch):
        frames = normalise_frames(batch.frames)
        return world_model_loss(model, frames, batch.actions, sigreg_weight=0.1, generator=seeded(1), num_directions=64)

    before = float(loss(batches[0]).total.detach())
    for batch in batches:
        optimiser.zero_grad()
        loss(batch).total.backward()
        optimiser.step()
    return before, float(loss(batches[0]).total.detach())


def test_a_file_of_the_public_layout_made_elsewhere_trains(tmp_path):
    generator = np.random.default_rng(0)
    lengths = [20, 25, 30]
    rows = sum(lengths)
    with h5py.File(tmp_path / "public.h5", "w") as file:
        pixels = np.zeros((rows, 32, 32, 3), np.uint8)
        for row, (x, y) in enumerate(generator.integers(0, 24, (rows, 2))):
            pixels[row, y : y + 8, x : x + 8] = 255
        file.create_dataset("pixels", data=pixels, chunks=(1, 32, 32, 3))
        file["action"] = generator.normal(size=(rows, 5)).astype(np.float32)
        file["observation"] = generator.normal(size=(rows, 9))
        file["ep_idx"] = np.repeat(np.arange(3), lengths)
        file["step_idx"] = np.concatenate([np.arange(length) for length in lengths])
    before, after = trained(tmp_path / "public.h5", steps=8)
    assert after < 0.8 * before


def test_a_file_of_ours_trains(tmp_path):
    env = gymnasium.make("lewm_lite/TwoRoom-v0", size=32)
    collect_episodes(env, RandomPolicy(env.action_space), episodes=3, path=tmp_path / "a.h5", seed=0, max_steps=40)
    before, after = trained(tmp_path / "a.h5", steps=8)
    assert after < 0.8 * before
