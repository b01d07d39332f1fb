"""TensorBoard reads back what was written, and what a resumed run takes again is there once."""

from __future__ import annotations

import errno
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.record_writer import RecordWriter

from lewm_lite.training.curves import open_curves


def read_back(folder, tag):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def test_scalars_are_read_back_with_their_steps_while_the_run_goes_on(tmp_path):
    with open_curves(tmp_path / "run", start=0) as curves:
        curves.write(10, {"train/total": 1.5, "train/sigreg": -2.0})
        curves.write(100_000, {"train/total": 0.25})
        assert read_back(tmp_path / "run", "train/total") == [(10, 1.5), (100_000, 0.25)]
        assert read_back(tmp_path / "run", "train/sigreg") == [(10, -2.0)]


def test_a_resumed_run_takes_the_place_of_what_was_written_after_its_checkpoint(tmp_path):
    for start, value in ((0, 1.0), (4, 2.0)):
        with open_curves(tmp_path, start=start) as curves:
            for step in range(start + 1, 8):
                curves.write(step, {"train/total": value})
    assert read_back(tmp_path, "train/total") == [(step, 1.0 if step <= 4 else 2.0) for step in range(1, 8)]


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_curves(None, start=0) as curves:
        curves.write(1, {"train/total": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_without_tensorboard_the_error_says_what_brings_it(tmp_path, monkeypatch):
    for name in ("tensorboard", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    words = r"TensorBoard, which pip install 'lewm-lite\[train\]' brings"
    with pytest.raises(ModuleNotFoundError, match=words), open_curves(tmp_path, start=0):
        pass


def test_a_run_begun_again_takes_the_place_of_one_that_was_killed_before_its_first_checkpoint(tmp_path):
    for last, value in ((9, 1.0), (4, 2.0)):
        with open_curves(tmp_path, start=0) as curves:
            for step in range(1, last):
                curves.write(step, {"train/total": value})
    assert read_back(tmp_path, "train/total") == [(step, 2.0) for step in range(1, 4)]


def test_when_the_disk_is_full_curves_end_with_one_warning(tmp_path, monkeypatch, capsys):
    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    told = []
    with open_curves(tmp_path, start=0, warn=told.append) as curves:
        curves.write(1, {"train/total": 1.0})
        monkeypatch.setattr(RecordWriter, "flush", full)
        for step in range(2, 5):
            curves.write(step, {"train/total": 1.0})
    words = f"step 2: curves in {tmp_path} can't be written (No space left on device): they end here, and the training"
    assert len(told) == 1 and told[0].startswith(words)
    assert "Traceback" not in capsys.readouterr().err
    assert read_back(tmp_path, "train/total")[0] == (1, 1.0)


def test_the_disk_may_be_full_at_the_last_moment(tmp_path, monkeypatch):
    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(KeyboardInterrupt), open_curves(tmp_path, start=0) as curves:
        curves.write(1, {"train/total": 1.0})
        monkeypatch.setattr(RecordWriter, "flush", full)
        raise KeyboardInterrupt  # is not hidden by what closing meets
