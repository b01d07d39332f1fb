"""The decoder draws pictures of the right size, can learn one, and teaches nobody else."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.model.decoder import Decoder, decoder_loss
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step


@pytest.mark.parametrize(("size", "leading"), [(32, (2, 3)), (64, (2,)), (28, ()), (4, (1,))])
def test_a_picture_has_the_size_asked_for_and_lies_between_dark_and_bright(size, leading):
    state = torch.get_rng_state()
    decoder = Decoder(dim=6, image_size=size, channels=32, generator=seeded(0))
    assert torch.equal(torch.get_rng_state(), state)
    picture = decoder(torch.randn(*leading, 6, generator=seeded(1)))
    assert picture.shape == (*leading, 3, size, size)
    assert picture.min() >= 0 and picture.max() <= 1
    assert picture.std() > 0.02


def test_no_gradient_reaches_what_made_the_embedding():
    decoder = Decoder(dim=4, image_size=8, generator=seeded(0))
    embeddings = torch.randn(3, 4, generator=seeded(1), requires_grad=True)
    decoder_loss(decoder, embeddings, torch.zeros(3, 3, 8, 8, dtype=torch.uint8)).backward()
    assert embeddings.grad is None
    assert all(parameter.grad.abs().sum() > 0 for parameter in decoder.parameters())


def test_two_embeddings_can_be_given_a_picture_each():
    decoder = Decoder(dim=4, image_size=8, channels=16, generator=seeded(0))
    embeddings = torch.randn(2, 4, generator=seeded(1))
    frames = torch.stack([torch.zeros(3, 8, 8), torch.full((3, 8, 8), 255)]).to(torch.uint8)
    values = {name: value.detach() for name, value in decoder.named_parameters()}
    state = AdamWState.of(values)
    losses = []
    for _ in range(60):
        live = {name: value.clone().requires_grad_() for name, value in values.items()}
        decoded = torch.func.functional_call(decoder, live, (embeddings,))
        loss = (decoded - frames / 255).square().mean()
        gradients = dict(zip(live, torch.autograd.grad(loss, list(live.values())), strict=True))
        values, state = adamw_step(values, gradients, state, AdamWConfig(learning_rate=0.01))
        losses.append(loss.item())
    assert losses[0] > 0.2 and losses[-1] < 0.02


def test_the_loss_is_the_squared_error_in_shares_of_full_brightness():
    decoder = Decoder(dim=4, image_size=8, generator=seeded(0))
    embeddings = torch.randn(2, 4, generator=seeded(1))
    frames = torch.full((2, 3, 8, 8), 51, dtype=torch.uint8)
    wanted = (decoder(embeddings) - 0.2).square().mean()
    torch.testing.assert_close(decoder_loss(decoder, embeddings, frames), wanted)


@pytest.mark.parametrize("size", [3, 9, 30, 100, 0])
def test_a_size_that_doubling_does_not_reach_is_refused(size):
    with pytest.raises(ValueError, match="image_size must be"):
        Decoder(dim=4, image_size=size, generator=seeded(0))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_embeddings_of_another_precision_than_the_weights_are_refused(dtype):
    decoder, embeddings = Decoder(dim=4, image_size=8, generator=seeded(0)), torch.zeros(2, 4, dtype=dtype)
    words = (
        rf"embeddings must be torch.float32 like the decoder's weights, got {dtype}: try embeddings.to\(torch.float32"
    )
    with pytest.raises(TypeError, match=words):
        decoder(embeddings)
    assert decoder.to(dtype)(embeddings).dtype == dtype


def test_under_autocast_embeddings_of_half_precision_are_drawn():
    decoder = Decoder(dim=4, image_size=8, generator=seeded(0))
    with torch.autocast("cpu", torch.bfloat16):
        assert decoder(torch.zeros(2, 4, dtype=torch.bfloat16)).shape == (2, 3, 8, 8)


@pytest.mark.parametrize(("channels", "widths"), [(64, [64, 32, 16]), (20, [20, 16, 16]), (4, [16, 16, 16])])
def test_channels_are_halved_but_never_fewer_than_sixteen(channels, widths):
    decoder = Decoder(dim=4, image_size=32, channels=channels, generator=seeded(0))
    assert [layer.in_channels for layer in decoder.doublings] == widths


def test_other_inputs_are_refused():
    decoder = Decoder(dim=4, image_size=8, generator=seeded(0))
    with pytest.raises(ShapeError, match=r"embeddings must be \(\.\.\., 4\), got shape \(2, 5\)"):
        decoder(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="NaN"):
        decoder(torch.full((2, 4), torch.nan))
    with pytest.raises(TypeError, match="8-bit pixels"):
        decoder_loss(decoder, torch.zeros(2, 4), torch.zeros(2, 3, 8, 8))
    with pytest.raises(ShapeError, match=r"frames must be \(2, 3, 8, 8\) like the pictures"):
        decoder_loss(decoder, torch.zeros(2, 4), torch.zeros(2, 3, 8, 9, dtype=torch.uint8))
    with pytest.raises(TypeError, match="generator"):
        Decoder(dim=4, image_size=8, generator=None)
