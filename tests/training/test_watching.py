"""Looking at a model leaves it alone; settling its averages makes evaluation agree with training."""

from __future__ import annotations

import pytest
import torch

from lewm_lite.training.watching import clips_of, look_at, prepared, settle_averages, spread_out


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("training", [True, False])
def test_a_look_leaves_the_model_as_it_was_and_says_the_same_each_time(small_model, square, training):
    model = small_model().train(training)
    before = state(model)
    looks = [look_at(model, square, step=3, clips=8) for _ in range(2)]
    assert looks[0] == looks[1] and looks[0].step == 3
    assert model.training is training
    torch.testing.assert_close(state(model), before, rtol=0, atol=0)


def test_a_look_measures_prediction_error_and_spread(small_model, square):
    model = small_model(dropout=0.0)
    look = look_at(model, square, step=1, clips=8)
    frames, actions = clips_of(square, spread_out(square, 8), like=model.encoder.class_token)
    embeddings, predictions = model(frames, actions)
    assert look.prediction == pytest.approx((predictions - embeddings[:, 1:]).square().mean().item(), rel=1e-5)
    assert look.std == pytest.approx(embeddings.flatten(0, 1).std(0, correction=0).mean().item(), rel=0.05)
    assert look.words


def test_spread_out_takes_clips_from_the_whole_dataset(square):
    assert spread_out(square, 3) == [0, len(square) // 3, 2 * len(square) // 3]
    assert spread_out(square, 10**6) == list(range(len(square)))


def test_prepared_clips_have_the_dtype_of_the_model():
    frames, actions = prepared(
        torch.full((1, 2, 3, 4, 4), 255, dtype=torch.uint8), torch.ones(1, 2, 2), like=torch.zeros(1).double()
    )
    assert frames.dtype == actions.dtype == torch.float64
    assert frames.amax() == pytest.approx(2.64, abs=0.01)


@pytest.mark.parametrize("batch_size", [2, 8, 1000])
def test_after_settling_evaluation_agrees_with_training(small_model, square, batch_size):
    model = small_model(dropout=0.0)
    for part in (model.projector, model.prediction_projector):
        part.norm.running_mean.fill_(50.0)
    settle_averages(model, square, batch_size=batch_size)
    assert model.training
    clips = clips_of(square, list(range(len(square))), like=model.encoder.class_token)
    with torch.no_grad():
        wanted, found = model(*clips).embeddings, model.eval()(*clips).embeddings
    assert (wanted - found).abs().mean() < 0.1 * wanted.std()
