"""Which clips a step looks at depends on its number alone."""

from __future__ import annotations

import h5py
import pytest

from lewm_lite.training.batches import BatchPlan, read_clips
from lewm_lite.world.episode_dataset import EpisodeDataset
from lewm_lite.world.episode_file import DatasetError


def plan(start=0, steps=12, **given):
    return list(BatchPlan(11, 4, start=start, steps=steps, seed=5, **given))


def test_each_epoch_shows_no_clip_twice_and_in_another_order():
    steps = plan()
    epochs = [steps[first] + steps[first + 1] for first in range(0, 12, 2)]
    assert all(len(set(epoch)) == 8 and set(epoch) <= set(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 6
    assert set().union(*epochs) == set(range(11))  # what is left over in one epoch comes in another


@pytest.mark.parametrize("start", [1, 2, 7])
def test_a_plan_that_starts_later_goes_on_as_the_whole_one_does(start):
    assert plan(start) == plan()[start:]
    assert len(BatchPlan(11, 4, start=start, steps=12, seed=5)) == 12 - start


def test_processes_share_every_batch():
    parts = [plan(rank=rank, processes=2) for rank in range(2)]
    assert [one + other for one, other in zip(*parts)] == plan()


def test_another_seed_is_another_order():
    assert plan() != list(BatchPlan(11, 4, start=0, steps=12, seed=6))


def test_what_cannot_be_shared_out_is_refused():
    with pytest.raises(ValueError, match="batch_size must be at most the dataset's 3 clips, got 4"):
        BatchPlan(3, 4, start=0, steps=1, seed=0)
    with pytest.raises(ValueError, match="batch_size must be a multiple of the 3 processes, got 4"):
        BatchPlan(9, 4, start=0, steps=1, seed=0, processes=3)


def test_what_a_worker_met_is_told_in_one_sentence(square_path, tmp_path):
    path = tmp_path / "damaged.h5"
    with h5py.File(square_path) as file, h5py.File(path, "w") as copy:
        for name in ("action", "ep_len", "ep_offset"):
            copy[name] = file[name][:]
        copy.create_dataset("pixels", data=file["pixels"][:], chunks=(12, 8, 8, 3), fletcher32=True)
        place = copy["pixels"].id.get_chunk_info(0).byte_offset
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"damaged")
    dataset = EpisodeDataset(path, clip_length=4, frame_skip=2)
    steps = BatchPlan(len(dataset), 8, start=0, steps=9, seed=0)
    for workers in (0, 1):
        with pytest.raises(DatasetError, match=r"^/.*/damaged.h5: pixels can't be read, rows .* are damaged") as end:
            list(read_clips(dataset, steps, workers))
        assert "\n" not in str(end.value)
