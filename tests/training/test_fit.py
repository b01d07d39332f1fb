"""Training learns, can be cut off and resumed to the last bit, and stops with words when it can't go on."""

from __future__ import annotations

import errno

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from lewm_lite import seeded
from lewm_lite.training import fit as fit_module
from lewm_lite.training import resuming
from lewm_lite.training.checkpoints import (
    FILE_NAME,
    CheckpointError,
    load_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from lewm_lite.training.fit import fit, steps_between_looks
from lewm_lite.training.fit_config import FitConfig
from lewm_lite.training.history import Look, Record
from lewm_lite.training.watching import clips_of, look_at
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.episode_dataset import EpisodeDataset

SHOWN = ("prediction", "std", "effective_rank")  # of a look
SHORT = FitConfig(steps=14, batch_size=8, num_directions=16, learning_rate=3e-3)


class CutOff(Exception):
    """What ends a run in the middle."""


def train(model, dataset, config=SHORT, *, seed=0, **given):
    return fit(model, dataset, config, generator=seeded(seed), **given)


def cut_off_after(step):
    def progress(record):
        if record.step == step:
            raise CutOff

    return progress


def same(one, other):
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


# ------------------------------------------------------------------------------------------------------------ learning


def test_training_learns_to_predict_without_collapse(small_model, square):
    model = small_model(dropout=0.0)
    config = FitConfig(steps=300, batch_size=16, num_directions=32, learning_rate=1e-2, sigreg_weight=0.3)
    history = train(model, square, config, look_every=20)
    first, last = history.looks[0], history.looks[-1]
    assert last.prediction < 0.5 * first.prediction and last.std > 0.5
    assert history.warnings == []
    assert [record.step for record in history.records] == [1, *range(10, 301, 10)]
    for record in history.records:
        assert record.total == pytest.approx(record.prediction + 0.3 * record.sigreg, rel=1e-5)
        assert record.learning_rate == config.learning_rate_at(record.step - 1)


def test_a_collapse_is_told_in_words_early(small_model, square):
    told = []
    config = FitConfig(steps=300, batch_size=16, num_directions=4, learning_rate=1e-2, sigreg_weight=0)
    history = train(small_model(dropout=0.0), square, config, look_every=20, warn=told.append)
    assert told == history.warnings and len(told) == 1
    assert int(told[0].split()[1].rstrip(":")) <= 150
    assert "the embeddings collapse to a point" in told[0] and "sigreg_weight is 0" in told[0]


def test_afterwards_the_model_is_fit_for_use(small_model, square):
    model = small_model()
    train(model, square)
    assert not model.training and model.action_blocks == ActionBlocks.of_dataset(square)
    clips = clips_of(square, list(range(len(square))), like=model.encoder.class_token)
    with torch.no_grad():
        used, taught = model(*clips).embeddings, model.train()(*clips).embeddings
    assert (used - taught).abs().mean() < 0.1 * taught.std()


def test_gradients_reach_the_optimiser_no_longer_than_asked(small_model, square, monkeypatch):
    lengths, step = [], torch.optim.AdamW.step

    def spied(self, *given):
        lengths.append(torch.cat([value.grad.flatten() for value in self.param_groups[0]["params"]]).norm().item())
        return step(self, *given)

    monkeypatch.setattr(torch.optim.AdamW, "step", spied)
    history = train(small_model(), square, FitConfig(steps=3, batch_size=8, num_directions=8, clip_norm=0.01))
    assert lengths == pytest.approx([0.01] * 3, rel=1e-3)
    assert history.records[0].gradient_norm > 0.01  # what is told is the length before


def test_nothing_is_drawn_from_the_global_random_state(small_model, square):
    before = torch.get_rng_state()
    train(small_model(), square)
    assert torch.equal(before, torch.get_rng_state())


def test_held_out_clips_are_looked_at_and_nothing_else(small_model, square, square_path):
    held_out = EpisodeDataset(square_path, clip_length=4, frame_skip=2, split="test")
    one, other = small_model(), small_model()
    config = FitConfig(steps=2, batch_size=8, num_directions=8)
    found, wanted = train(one, square, config, held_out=held_out), train(other, square, config)
    same(one, other)
    assert found.records == wanted.records
    for look, elsewhere in zip(found.looks, wanted.looks, strict=True):
        assert look.prediction != elsewhere.prediction
    assert found.looks[-1] == look_at(one, held_out, step=2, clips=8)


def test_weights_decay_as_asked(small_model, square):
    models = [small_model() for _ in range(2)]
    for model, decay in zip(models, (0.0, 10.0)):
        train(model, square, FitConfig(steps=1, batch_size=8, num_directions=8, learning_rate=0.01, weight_decay=decay))
    for one, other, before in zip(*(model.parameters() for model in (*models, small_model()))):
        torch.testing.assert_close(one - other, 0.01 * 10.0 * before)


@pytest.mark.parametrize(("steps", "places"), [(41, [*range(2, 41, 2), 41]), (3, [1, 2, 3])])
def test_looks_come_often_enough_to_see_a_collapse(small_model, square, monkeypatch, steps, places):
    def look(model, dataset, *, step, clips):
        return Look(step, 0.1, 1.0, 8.0, "none", "")

    monkeypatch.setattr(fit_module, "look_at", look)
    history = train(small_model(), square, FitConfig(steps=steps, batch_size=4, num_directions=4))
    assert [look.step for look in history.looks] == places
    assert [steps_between_looks(steps) for steps in (999, 1000, 2000, 50_000)] == [49, 50, 50, 50]


def test_curves_show_each_kept_step_and_each_look(small_model, square, tmp_path):
    history = train(small_model(), square, folder=tmp_path, look_every=5)
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    for kind, told in (("train", history.records), ("look", history.looks)):
        shown = [tag.removeprefix(f"{kind}/") for tag in read.Tags()["scalars"] if tag.startswith(kind)]
        assert set(shown) == {"train": set(Record._fields) - {"step"}, "look": set(SHOWN)}[kind]
        for name in shown:
            found = [(event.step, event.value) for event in read.Scalars(f"{kind}/{name}")]
            wanted = [(entry.step, getattr(entry, name)) for entry in told]
            assert found == [(step, pytest.approx(value, rel=1e-6)) for step, value in wanted]


def test_a_training_goes_on_when_there_is_no_room_for_curves(small_model, square, tmp_path, monkeypatch):
    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    told, model, plain = [], small_model(), small_model()
    with monkeypatch.context() as small_disk:
        small_disk.setattr(SummaryWriter, "flush", full)
        train(model, square, folder=tmp_path, warn=told.append)
    assert len(told) == 1 and "the training goes on without them" in told[0]
    train(plain, square)
    same(model, plain)
    same(load_checkpoint(tmp_path), plain)


def test_another_seed_gives_other_weights_and_the_same_one_the_same(small_model, square):
    models = [small_model() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1)):
        train(model, square, seed=seed)
    same(models[0], models[1])
    assert not torch.equal(models[0].projector.output.weight, models[2].projector.output.weight)


def test_looks_checkpoints_and_where_clips_come_from_do_not_move_the_weights(
    small_model, square, square_path, tmp_path
):
    plain, watched = small_model(), small_model()
    train(plain, square)
    streamed = EpisodeDataset(square_path, clip_length=4, frame_skip=2)
    train(watched, streamed, look_every=3, checkpoint_every=4, folder=tmp_path)
    same(plain, watched)


def test_worker_processes_do_not_move_the_weights(small_model, square, square_path):
    plain, helped = small_model(), small_model()
    config = FitConfig(steps=4, batch_size=8, num_directions=8)
    train(plain, square, config)
    train(helped, EpisodeDataset(square_path, clip_length=4, frame_skip=2), config, workers=2)
    same(plain, helped)


def test_under_bfloat16_the_loss_and_the_weights_stay_in_float32(small_model, square, monkeypatch):
    seen, loss_of = [], fit_module.world_model_loss

    def spied(model, *given, **named):
        inner = model.projector.hidden.register_forward_hook(lambda _, __, put_out: seen.append(put_out.dtype))
        loss = loss_of(model, *given, **named)
        inner.remove()
        seen.append(loss.sigreg.dtype)
        return loss

    monkeypatch.setattr(fit_module, "world_model_loss", spied)
    full, half = small_model(dropout=0.0), small_model(dropout=0.0)
    config = {"steps": 5, "batch_size": 8, "num_directions": 8}
    wanted = train(full, square, FitConfig(**config)).records[0]
    seen.clear()
    found = train(half, square, FitConfig(**config, precision="bfloat16")).records[0]
    assert set(seen[::2]) == {torch.bfloat16} and set(seen[1::2]) == {torch.float32}
    assert all(value.dtype == torch.float32 for value in half.parameters())
    assert found.total == pytest.approx(wanted.total, rel=0.05) and found.total != wanted.total


# ------------------------------------------------------------------------------------------------------------ resuming


@pytest.mark.parametrize("cut", [4, 5, 9, 13])
def test_a_run_cut_off_and_resumed_ends_as_one_that_was_not(small_model, square, tmp_path, cut):
    whole, resumed = small_model(), small_model()
    wanted = train(whole, square, look_every=3)
    with pytest.raises(CutOff):
        train(small_model(), square, folder=tmp_path, checkpoint_every=4, look_every=3, progress=cut_off_after(cut))
    assert read_checkpoint(tmp_path).facts["step"] == cut // 4 * 4
    steps = []
    found = train(
        resumed, square, folder=tmp_path, resume=True, look_every=3, progress=lambda record: steps.append(record.step)
    )
    assert steps == list(range(cut // 4 * 4 + 1, 15))
    same(whole, resumed)
    assert found == wanted
    same(load_checkpoint(tmp_path), whole)


def test_a_finished_run_is_resumed_by_doing_nothing(small_model, square, tmp_path):
    model, again = small_model(), small_model()
    wanted = train(model, square, folder=tmp_path)
    assert train(again, square, folder=tmp_path, resume=True, progress=cut_off_after(14)) == wanted
    same(model, again)
    assert not again.training


def test_curves_go_on_where_they_were_cut_off(small_model, square, tmp_path):
    with pytest.raises(CutOff):
        train(small_model(), square, folder=tmp_path, checkpoint_every=5, progress=cut_off_after(11))
    assert len(list(tmp_path.glob("events*"))) == 1
    history = train(small_model(), square, folder=tmp_path, resume=True)
    assert len(list(tmp_path.glob("events*"))) == 2
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    assert [event.step for event in read.Scalars("train/total")] == [record.step for record in history.records]


def test_a_model_with_frozen_parameters_is_resumed(small_model, square, tmp_path):
    def frozen():
        model = small_model()
        model.encoder.requires_grad_(False)
        return model

    whole, resumed = frozen(), frozen()
    train(whole, square)
    with pytest.raises(CutOff):
        train(frozen(), square, folder=tmp_path, checkpoint_every=4, progress=cut_off_after(5))
    train(resumed, square, folder=tmp_path, resume=True)
    same(whole, resumed)
    same(whole.encoder, frozen().encoder)


def test_a_disk_that_is_full_stops_the_run_and_leaves_the_checkpoint_before(small_model, square, tmp_path, monkeypatch):
    written = []

    def write(path, model, **given):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        write_checkpoint(path, model, **given)

    monkeypatch.setattr(resuming, "write_checkpoint", write)
    words = (
        f"{tmp_path / FILE_NAME} can't be written at step 8 .No space left on device.: the checkpoint before is whole"
    )
    with pytest.raises(OSError, match=words):
        train(small_model(), square, folder=tmp_path, checkpoint_every=4)
    with pytest.raises(OSError, match="can't be written at step 14 .*: there is no checkpoint yet"):
        train(small_model(), square, folder=tmp_path / "empty")
    monkeypatch.undo()
    assert read_checkpoint(tmp_path).facts["step"] == 4
    whole, resumed = small_model(), small_model()
    train(whole, square)
    train(resumed, square, folder=tmp_path, resume=True)
    same(whole, resumed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"config": FitConfig(**{**vars(SHORT), "sigreg_weight": 0.2})}, "sigreg_weight was 0.1 and is 0.2"),
        ({"config": FitConfig(**{**vars(SHORT), "steps": 20})}, "steps was 14 and is 20"),
        ({"seed": 3}, "seed was 0 and is 3"),
    ],
)
def test_another_run_than_the_one_that_was_begun_is_refused(small_model, square, tmp_path, change, words):
    train(small_model(), square, folder=tmp_path)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(CheckpointError, match=f"is of another run: {words}. Resume with what it began with"):
        train(small_model(), square, folder=tmp_path, resume=True, **change)
    with pytest.raises(CheckpointError, match="other sizes: predictor_depth 1 and not 2"):
        train(small_model(predictor_depth=2), square, folder=tmp_path, resume=True)
    assert (tmp_path / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize(("episodes", "verb"), [(5, "shrank"), (8, "grew")])
def test_a_dataset_that_changed_is_refused(small_model, square, write_square, tmp_path, episodes, verb):
    train(small_model(), square, folder=tmp_path)
    write_square(tmp_path / "other.h5", episodes=episodes)
    other = EpisodeDataset(tmp_path / "other.h5", clip_length=4, frame_skip=2)
    with pytest.raises(CheckpointError, match=f"the dataset {verb} since .*: 25 clips then, {len(other)} now"):
        train(small_model(), other, folder=tmp_path, resume=True)


def test_a_dataset_of_as_many_other_clips_is_refused(small_model, square, tmp_path):
    train(small_model(), square, folder=tmp_path)
    square.action_mean = square.action_mean + 1
    with pytest.raises(CheckpointError, match="is of another run: action_mean was .* and is "):
        train(small_model(), square, folder=tmp_path, resume=True)


def test_there_must_be_something_to_resume_and_nothing_is_overwritten(small_model, square, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing to resume at .*: start without resume"):
        train(small_model(), square, folder=tmp_path, resume=True)
    with pytest.raises(ValueError, match="resume needs the folder of the run"):
        train(small_model(), square, resume=True)
    train(small_model(), square, folder=tmp_path)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(FileExistsError, match="holds a run already: resume it, or choose another folder"):
        train(small_model(), square, folder=tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    write_checkpoint(tmp_path / FILE_NAME, small_model(), facts={})
    with pytest.raises(CheckpointError, match="holds a model for use, without what going on"):
        train(small_model(), square, folder=tmp_path, resume=True)


# ------------------------------------------------------------------------------------------------------------ stopping


def nan_from_step(monkeypatch, step, part):
    calls, loss_of = [], fit_module.world_model_loss

    def broken(*given, **named):
        loss = loss_of(*given, **named)
        calls.append(loss)
        if len(calls) < step:
            return loss
        if part == "gradient":
            loss.total.register_hook(lambda gradient: gradient * float("nan"))
            return loss
        bad = loss._replace(**{part: getattr(loss, part) * float("nan")})
        return bad._replace(total=bad.prediction + 0.1 * bad.sigreg)

    monkeypatch.setattr(fit_module, "world_model_loss", broken)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("prediction", r"the prediction loss is nan, SIGReg \d+\.\d+, total nan"),
        ("sigreg", r"the prediction loss is 0\.\d+, SIGReg nan, total nan"),
        ("gradient", r"total \d+\.\d+, and the length of the gradient is nan"),
    ],
)
def test_nan_stops_the_run_and_says_where(small_model, square, tmp_path, monkeypatch, part, words):
    nan_from_step(monkeypatch, 7, part)
    model = small_model()
    with pytest.raises(FloatingPointError, match=f"training stopped at step 7 of 14: .*{words}.*learning_rate") as end:
        train(model, square, folder=tmp_path, checkpoint_every=4)
    assert "nan" in str(end.value) and str(end.value).endswith("; the last checkpoint is whole")
    assert all(bool(torch.isfinite(value).all()) for value in model.parameters())
    assert read_checkpoint(tmp_path).facts["step"] == 4


@pytest.mark.parametrize(("every", "folder"), [({"look_every": 1}, "run"), ({"checkpoint_every": 1}, None), ({}, None)])
def test_a_run_that_flies_apart_by_itself_stops_too(small_model, square, tmp_path, every, folder):
    given = {"look_every": 14, **every, "folder": folder and tmp_path / folder}
    with pytest.raises(FloatingPointError, match=r"training stopped at step \d+ of 14: ") as end:
        train(small_model(), square, FitConfig(**{**vars(SHORT), "learning_rate": 1e30}), **given)
    assert "checkpoint" not in str(end.value)  # none was written


@pytest.mark.parametrize(
    ("data", "sizes", "words"),
    [
        ({}, {"image_size": 16}, "frames of 16 x 16 pixels for this model, got 8 x 8: collect them with --size 16"),
        ({"frame_skip": 1}, {}, "dataset must have 4 numbers in an action for this model, got 2"),
        ({"clip_length": 5}, {}, "dataset must have clips of 2 to 4 frames, .* got clip_length 5"),
        ({"clip_length": 1}, {}, "dataset must have clips of 2 to 4 frames, .* got clip_length 1"),
    ],
)
def test_a_dataset_for_another_model_is_refused(small_model, square, square_path, data, sizes, words):
    dataset = EpisodeDataset(square_path, **{"clip_length": 4, "frame_skip": 2, **data})
    with pytest.raises(ValueError, match=words):
        train(small_model(**sizes), dataset)
    if not sizes:
        with pytest.raises(ValueError, match=words.replace("dataset", "held_out")):
            train(small_model(), square, held_out=dataset, progress=cut_off_after(1))


def test_other_arguments_that_make_no_sense_are_refused(small_model, square):
    with pytest.raises(TypeError, match="generator must be a torch.Generator"):
        fit(small_model(), square, SHORT, generator=0)
    with pytest.raises(ValueError, match="look_every must be an integer of at least 1, got 0"):
        train(small_model(), square, look_every=0)
    with pytest.raises(ValueError, match="batch_size must be at most the dataset's 25 clips, got 64"):
        train(small_model(), square, FitConfig())


@pytest.mark.parametrize(("processes", "size"), [(1, 1), (2, 2), (2, 3)])
def test_a_process_with_one_clip_is_refused_before_anything_is_written(
    small_model, square, tmp_path, monkeypatch, processes, size
):
    monkeypatch.setattr(fit_module, "rank_and_processes", lambda: (0, processes))
    each = "" if processes == 1 else " for each of 2 processes"
    with pytest.raises(ValueError, match=f"batch_size must be at least 2 clips{each}, got {size}"):
        train(small_model(), square, FitConfig(steps=2, batch_size=size), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
