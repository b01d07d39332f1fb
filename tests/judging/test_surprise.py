"""Surprise where the unexpected is known, and an ROC against scikit-learn's."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from without_float64 import on_accelerator

from lewm_lite import LeWorldModel, ShapeError, seeded
from lewm_lite.judging.surprise import roc, surprise


def test_only_the_jump_surprises_a_model_that_is_right(known_model):
    path = torch.zeros(3, 7, 2)
    path[1, 4:] += torch.tensor([3.0, 4.0])
    known_model.encode = lambda frames: frames
    known_model.predict = lambda embeddings, actions: embeddings
    wanted = torch.zeros(3, 7)
    wanted[1, 4] = 12.5
    torch.testing.assert_close(surprise(known_model, path, torch.zeros(3, 7, 10)), wanted)


def test_it_is_the_error_of_the_prediction_from_as_far_back_as_the_predictor_looks():
    model = LeWorldModel.from_preset("lite", action_dim=3).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=seeded(parameter.numel()))
    frames = torch.randn(2, 6, 3, 32, 32, generator=seeded(1))
    actions = torch.randn(2, 5, 3, generator=seeded(2))
    found = surprise(model, frames, actions)
    with torch.no_grad():
        clip = model(frames[:, :4], actions[:, :3])
        torch.testing.assert_close(found[:, 1:4], (clip.predictions - clip.embeddings[:, 1:]).square().mean(-1))
        later = model(frames[:, 2:6], actions[:, 2:5])
        torch.testing.assert_close(found[:, 5], (later.predictions - later.embeddings[:, 1:]).square().mean(-1)[:, -1])
    assert torch.equal(found[:, 0], torch.zeros(2))


def test_what_can_not_surprise_is_refused(known_model):
    known_model.encode = lambda frames: frames
    with pytest.raises(ShapeError, match="at least 2 time steps"):
        surprise(known_model, torch.zeros(3, 1, 2), torch.zeros(3, 1, 10))
    with pytest.raises(ShapeError, match=r"actions must be \(batch, 4, 10\)"):
        surprise(known_model, torch.zeros(3, 4, 2), torch.zeros(3, 2, 10))
    with pytest.raises(ValueError, match="evaluation mode"):
        surprise(known_model.train(), torch.zeros(3, 4, 2), torch.zeros(3, 4, 10))


@pytest.mark.parametrize("ties", [False, True])
def test_roc_is_scikit_learns(ties):
    usual, strange = torch.randn(60, generator=seeded(0)), torch.randn(40, generator=seeded(1)) + 1
    if ties:
        usual, strange = usual.round(), strange.round()
    found = roc(usual, strange)
    labels, scores = [0] * 60 + [1] * 40, torch.cat([usual, strange]).numpy()
    assert found.area == pytest.approx(roc_auc_score(labels, scores))
    false_alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert found.false_alarms.tolist() == pytest.approx(false_alarms.tolist())
    assert found.hits.tolist() == pytest.approx(hits.tolist())


def test_roc_of_a_perfect_a_blind_and_a_contrary_judge():
    low, high = torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0, 4.0])
    assert roc(low, high).area == 1
    assert roc(high, low).area == 0
    assert roc(torch.ones(4), torch.ones(9)).area == 0.5


def test_scores_on_an_accelerator_are_judged_as_on_the_cpu():
    usual, strange = torch.randn(9, generator=seeded(0)), torch.randn(9, generator=seeded(1))
    assert roc(on_accelerator(usual), on_accelerator(strange)).area == roc(usual, strange).area


def test_scores_that_are_none_are_refused():
    with pytest.raises(ShapeError, match="usual must be scores"):
        roc(torch.zeros(0), torch.ones(2))
    with pytest.raises(ValueError, match="strange holds 1 NaN"):
        roc(torch.zeros(2), torch.tensor([float("nan")]))
