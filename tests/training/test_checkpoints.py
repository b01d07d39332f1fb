"""A checkpoint brings a model back as it was; what is no whole checkpoint is refused with a reason."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lewm_lite import files, seeded
from lewm_lite.training import checkpoints
from lewm_lite.training.checkpoints import (
    FILE_NAME,
    CheckpointError,
    load_checkpoint,
    put_weights,
    read_checkpoint,
    write_checkpoint,
)
from lewm_lite.world.action_blocks import ActionBlocks

BLOCKS = ActionBlocks(2, (0.1, -3.0), (0.7, 1.5))


@pytest.fixture
def model(small_model):
    made = small_model()
    made.action_blocks = BLOCKS
    for norm in (made.projector.norm, made.prediction_projector.norm):
        norm.running_mean.uniform_(-1, 1, generator=seeded(1))
    return made


def test_a_model_comes_back_as_it_was_ready_for_use(tmp_path, model):
    path = tmp_path / "deep/in/model.safetensors"
    write_checkpoint(path, model, facts={"step": 3}, tensors={"extra": torch.arange(3)})
    for place in (path, str(path)):
        found = load_checkpoint(place)
        torch.testing.assert_close(found.state_dict(), model.state_dict(), rtol=0, atol=0)
        assert found.config == model.config and found.action_dim == 4 and not found.training
        assert found.action_blocks == BLOCKS
    whole = read_checkpoint(path)
    assert whole.facts == {"step": 3} and whole.tensors["extra"].tolist() == [0, 1, 2]


def test_a_folder_of_a_run_stands_for_its_checkpoint(tmp_path, model):
    write_checkpoint(tmp_path / FILE_NAME, model, facts={})
    assert load_checkpoint(tmp_path).config == model.config


def test_a_plain_word_names_what_comes_with_the_library(tmp_path, model, monkeypatch):
    monkeypatch.setattr(files, "asset_root", lambda: tmp_path / "assets")
    monkeypatch.setattr(checkpoints, "asset_root", lambda: tmp_path / "assets")
    write_checkpoint(tmp_path / "assets/checkpoints/small.safetensors", model, facts={})
    monkeypatch.chdir(tmp_path)
    assert load_checkpoint("small").config == model.config
    with pytest.raises(FileNotFoundError, match="no checkpoint named 'large', .*; there are: small"):
        load_checkpoint("large")


def test_a_model_that_knows_nothing_of_its_actions_comes_back_so(tmp_path, small_model):
    write_checkpoint(tmp_path / "a.safetensors", small_model(), facts={})
    assert load_checkpoint(tmp_path / "a.safetensors").action_blocks is None


def test_a_save_that_fails_leaves_the_one_before_whole(tmp_path, model, monkeypatch):
    path = tmp_path / FILE_NAME
    write_checkpoint(path, model, facts={"step": 1})
    write_bytes = Path.write_bytes

    def half(self, content):
        write_bytes(self, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(path, model, facts={"step": 2})
    assert read_checkpoint(path).facts == {"step": 1}
    assert [found.name for found in tmp_path.iterdir()] == [FILE_NAME]


def test_what_is_no_checkpoint_is_refused_with_a_reason(tmp_path, model):
    path = tmp_path / FILE_NAME
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        read_checkpoint(path)
    write_checkpoint(path, model, facts={})
    for content in (b"", b"not one", path.read_bytes()[:-1000], path.read_bytes()[:100]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is not a safetensors file, or a part of one"):
            read_checkpoint(path)
    save_file(model.state_dict(), path)
    with pytest.raises(CheckpointError, match="must be a checkpoint of format 'lewm_lite 1', got None"):
        read_checkpoint(path)


def test_a_model_of_other_sizes_is_refused_and_left_alone(tmp_path, model, small_model):
    path = tmp_path / FILE_NAME
    write_checkpoint(path, model, facts={})
    other = small_model(predictor_depth=2, dim=16)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(CheckpointError, match="other sizes: dim 8 and not 16, predictor_depth 1 and not 2"):
        put_weights(other, read_checkpoint(path))
    torch.testing.assert_close(other.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("damage", ["missing", "shape", "nan"])
def test_weights_that_cannot_be_right_are_refused(tmp_path, model, damage):
    path = tmp_path / FILE_NAME
    write_checkpoint(path, model, facts={})
    whole = read_checkpoint(path)
    tensors = {f"model.{name}": value for name, value in whole.weights.items()}
    name = "model.projector.output.weight"
    if damage == "missing":
        del tensors[name]
    else:
        tensors[name] = tensors[name][:-1].clone() if damage == "shape" else tensors[name] * float("nan")
    about = {"sizes": vars(whole.config), "action_dim": 4, "action_blocks": None, "facts": {}}
    save_file(tensors, path, metadata={"format": "lewm_lite 1", "about": json.dumps(about)})
    words = "projector.output.weight holds 128 NaN" if damage == "nan" else "don't fit .*'projector.output.weight'"
    with pytest.raises(ValueError, match=words):
        load_checkpoint(path)


@pytest.mark.parametrize("change", ["unknown size", "no sizes", "no about", "not JSON", "blocks"])
def test_what_another_version_wrote_is_refused(tmp_path, model, change):
    path = tmp_path / FILE_NAME
    write_checkpoint(path, model, facts={})
    whole = read_checkpoint(path)
    about = {"sizes": vars(whole.config).copy(), "action_dim": 4, "action_blocks": None, "facts": {}}
    if change == "unknown size":
        about["sizes"]["wings"] = 2
    elif change == "no sizes":
        del about["sizes"]
    elif change == "blocks":
        about["action_blocks"] = {"frame_skip": 2}
    metadata = {"format": "lewm_lite 1", "about": "{" if change == "not JSON" else json.dumps(about)}
    if change == "no about":
        del metadata["about"]
    save_file({f"model.{name}": value for name, value in whole.weights.items()}, path, metadata=metadata)
    with pytest.raises(CheckpointError, match=f"{path} must say .* got a file written by another version, or changed"):
        load_checkpoint(path)
