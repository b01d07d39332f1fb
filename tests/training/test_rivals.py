"""Rivals differ from SIGReg in what they are named after, and in nothing else."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.model.world_model import Foresight
from lewm_lite.objectives.vicreg import covariance_penalty, variance_hinge
from lewm_lite.training import fit as fit_module
from lewm_lite.training.fit import fit
from lewm_lite.training.fit_config import FitConfig
from lewm_lite.training.joint_embedding import MOMENTUM, OBJECTIVES, Objective
from lewm_lite.training.rivals import Rival
from lewm_lite.training.watching import clips_of
from lewm_lite.training.world_model_loss import world_model_loss

CONFIG = FitConfig(steps=6, batch_size=8, num_directions=8, sigreg_weight=0.0)


@pytest.fixture
def clips(square):
    return clips_of(square, list(range(12)), like=torch.zeros(()))


def loss_of(rival, model, clips, *, weight=0.0):
    return rival.loss(model, *clips, sigreg_weight=weight, generator=seeded(3), num_directions=16)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_without_anything_of_its_own_a_rival_is_the_world_model_s_loss(small_model, clips, weight):
    model = small_model()
    wanted = world_model_loss(model, *clips, sigreg_weight=weight, generator=seeded(3), num_directions=16)
    found = loss_of(Rival(model, Objective()), model, clips, weight=weight)
    torch.testing.assert_close(tuple(found), tuple(wanted))


def test_vicreg_adds_its_terms_per_time_step(small_model, clips):
    model = small_model(dropout=0.0)
    asked = OBJECTIVES["vicreg"]
    found = loss_of(Rival(model, asked), model, clips)
    embeddings = model(*clips).embeddings
    each = [
        asked.variance * variance_hinge(moment) + asked.covariance * covariance_penalty(moment)
        for moment in embeddings.unbind(1)
    ]
    torch.testing.assert_close(found.total, found.prediction + torch.stack(each).mean())
    pooled = asked.variance * variance_hinge(embeddings.flatten(0, 1))
    assert abs(pooled - asked.variance * variance_hinge(embeddings.transpose(0, 1))) > 1e-4  # it makes a difference


def test_a_teacher_s_targets_move_neither_encoder_nor_teacher_and_the_teacher_follows(small_model, clips):
    model = small_model(dropout=0.0)
    rival = Rival(model, OBJECTIVES["ema_stop_gradient"])
    first = loss_of(rival, model, clips)
    torch.testing.assert_close(first.prediction, loss_of(Rival(model, Objective()), model, clips).prediction)
    # Gradient reaches the encoder through predictions alone: with targets held fixed it is the same.
    (found,) = torch.autograd.grad(first.total, [model.projector.output.weight])
    embeddings, predictions = model(*clips)
    held = (predictions - embeddings[:, 1:].detach()).square().mean()
    (wanted,) = torch.autograd.grad(held, [model.projector.output.weight])
    torch.testing.assert_close(found, wanted)
    assert not any(value.requires_grad for value in rival.teacher.parameters())
    before = rival.teacher.copy.projector.output.weight.clone()
    with torch.no_grad():
        model.projector.output.weight += 1
    rival.after_step(model)
    moved = rival.teacher.copy.projector.output.weight - before
    torch.testing.assert_close(moved, torch.full_like(moved, 1 - MOMENTUM), rtol=1e-3, atol=1e-6)


def test_fit_trains_under_a_rival_from_the_same_clips(small_model, square):
    model, plain = small_model(), small_model()
    rival = Rival(model, OBJECTIVES["ema_stop_gradient"])
    history = fit(model, square, CONFIG, generator=seeded(0), rival=rival)
    other = fit(plain, square, CONFIG, generator=seeded(0))
    assert history.records[0].prediction == pytest.approx(other.records[0].prediction, rel=1e-5)
    assert history.records[-1].prediction != other.records[-1].prediction
    student, teacher = model.projector.output.weight, rival.teacher.copy.projector.output.weight
    start = small_model().projector.output.weight
    assert 0 < (teacher - start).norm() < 0.2 * (student - start).norm()


def test_what_cannot_be_is_refused(small_model, square, tmp_path):
    model = small_model()
    with pytest.raises(ValueError, match="objective has a teacher without stop_gradient"):
        Rival(model, OBJECTIVES["ema_only"])
    rival = Rival(model, OBJECTIVES["vicreg"])
    with pytest.raises(ValueError, match="rival can't have a folder"):
        fit(model, square, CONFIG, generator=seeded(0), rival=rival, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_under_bfloat16_a_rival_s_loss_stays_in_float32(small_model, clips):
    model = small_model(dropout=0.0)
    rival = Rival(model, OBJECTIVES["vicreg"])

    def rounded(*given, **named):
        return Foresight(*(part.bfloat16() for part in model(*given, **named)))

    found, wanted = (loss_of(rival, one, clips).prediction for one in (rounded, model))
    assert found.dtype == torch.float32 and found != found.bfloat16()
    torch.testing.assert_close(found, wanted, rtol=0.05, atol=0)


def test_several_processes_are_refused(small_model, square, monkeypatch):
    model = small_model()
    monkeypatch.setattr(fit_module, "rank_and_processes", lambda: (0, 2))
    with pytest.raises(ValueError, match="rival must be trained by one process, got 2: its terms"):
        fit(model, square, CONFIG, generator=seeded(0), rival=Rival(model, OBJECTIVES["vicreg"]))
