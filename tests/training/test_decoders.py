"""A decoder learns what a model saw, leaves the model alone, and comes back from its file."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.model.decoder import Decoder
from lewm_lite.training.checkpoints import CheckpointError, write_checkpoint
from lewm_lite.training.decoders import fit_decoder, load_decoder, write_decoder


def new_decoder(**sizes):
    return Decoder(**{"dim": 8, "image_size": 8, "channels": 16, **sizes}, generator=seeded(0))


def test_it_learns_and_the_model_stays_as_it_is(small_model, square):
    model, decoder, losses = small_model().eval(), new_decoder(), []
    before = {name: value.clone() for name, value in model.state_dict().items()}
    last = fit_decoder(
        decoder,
        model,
        square,
        steps=120,
        batch_size=8,
        generator=seeded(1),
        progress=lambda step, loss: losses.append(loss),
    )
    assert len(losses) == 120 and last == pytest.approx(sum(losses[-100:]) / 100)
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    torch.testing.assert_close(dict(model.state_dict()), before, rtol=0, atol=0)


def test_it_comes_back_from_its_file_to_half_precision(tmp_path):
    decoder = new_decoder()
    write_decoder(tmp_path / "one.safetensors", decoder)
    found = load_decoder(tmp_path / "one.safetensors")
    embeddings = torch.randn(5, 8, generator=seeded(2))
    torch.testing.assert_close(found(embeddings), decoder(embeddings), atol=2e-3, rtol=0)
    assert not found.training and (found.channels, found.image_size) == (16, 8)


def test_other_files_and_models_are_refused(small_model, square, tmp_path):
    with pytest.raises(ValueError, match="model must be in evaluation mode"):
        fit_decoder(new_decoder(), small_model(), square, generator=seeded(0))
    with pytest.raises(ValueError, match=r"embeddings must be \(\.\.\., 5\)"):
        fit_decoder(new_decoder(dim=5), small_model().eval(), square, batch_size=8, generator=seeded(0))
    with pytest.raises(FileNotFoundError, match="no decoder at"):
        load_decoder(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError, match="no decoder named 'large'"):
        load_decoder("large")
    write_checkpoint(tmp_path / "model.safetensors", small_model(), facts={})
    with pytest.raises(CheckpointError, match="must be a decoder of format"):
        load_decoder(tmp_path / "model.safetensors")
    (tmp_path / "part.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes()[:100])
    with pytest.raises(CheckpointError, match="is not a safetensors file"):
        load_decoder(tmp_path / "part.safetensors")
    broken = new_decoder()
    with torch.no_grad():
        broken.first.bias[0] = float("nan")
    write_decoder(tmp_path / "nan.safetensors", broken)
    with pytest.raises(ValueError, match="first.bias holds 1 NaN"):
        load_decoder(tmp_path / "nan.safetensors")
