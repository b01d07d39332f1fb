"""The EMA teacher follows, is never trained, and hands out targets without gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lewm_lite import seeded
from lewm_lite.objectives.teacher import EMATeacher, averaged, cosine_momentum


def student():
    made = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    for parameter in made.parameters():
        nn.init.normal_(parameter, generator=seeded(parameter.numel()))
    return made


def moved(made):
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 1.0
    return made


@pytest.mark.parametrize(("momentum", "share"), [(0.0, 1.0), (0.9, 0.1), (1.0, 0.0)])
def test_one_update_moves_the_teacher_by_its_share_of_the_way(momentum, share):
    pupil = student()
    teacher = EMATeacher(pupil, momentum=momentum)
    before = {name: value.clone() for name, value in teacher.copy.named_parameters()}
    teacher.update(moved(pupil))
    for name, value in teacher.copy.named_parameters():
        torch.testing.assert_close(value, before[name] + share)


def test_updates_follow_the_geometric_series():
    pupil = student()
    teacher = EMATeacher(pupil, momentum=0.8)
    before = next(teacher.copy.parameters()).clone()
    moved(pupil)
    for _ in range(5):
        teacher.update(pupil)
    torch.testing.assert_close(next(teacher.copy.parameters()), before + 1 - 0.8**5)


def test_a_momentum_given_to_one_update_holds_for_that_update():
    pupil = student()
    teacher = EMATeacher(pupil, momentum=1.0)
    teacher.update(moved(pupil), momentum=0.0)
    torch.testing.assert_close(next(teacher.copy.parameters()), next(pupil.parameters()))
    assert teacher.momentum == 1.0


def test_targets_carry_no_gradient_and_the_copy_is_not_the_student():
    pupil = student()
    teacher = EMATeacher(pupil, momentum=0.9)
    frames = torch.randn(5, 3, generator=seeded(0), requires_grad=True)
    assert not teacher(frames).requires_grad
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    loss = (pupil(frames) - teacher(frames)).square().mean()
    loss.backward()
    assert all(parameter.grad is not None for parameter in pupil.parameters())
    assert all(parameter.grad is None for parameter in teacher.parameters())
    own = {parameter.data_ptr() for parameter in pupil.parameters()}
    assert own.isdisjoint(parameter.data_ptr() for parameter in teacher.parameters())


def test_buffers_are_taken_over_whole():
    pupil = student()
    teacher = EMATeacher(pupil, momentum=1.0)
    pupil(torch.randn(8, 3, generator=seeded(0)))
    teacher.update(pupil)
    for mine, theirs in zip(teacher.copy.buffers(), pupil.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_the_schedule_starts_at_its_base_and_ends_at_one():
    assert cosine_momentum(0, total_steps=10, start=0.9) == pytest.approx(0.9)
    assert cosine_momentum(5, total_steps=10, start=0.9) == pytest.approx(0.95)
    assert cosine_momentum(10, total_steps=10, start=0.9) == pytest.approx(1.0)


@pytest.mark.parametrize("momentum", [-0.1, 1.1, float("nan"), "0.9", True])
def test_a_momentum_outside_0_to_1_is_refused(momentum):
    with pytest.raises(ValueError, match="momentum must be a number from 0 to 1"):
        EMATeacher(student(), momentum=momentum)
    teacher = EMATeacher(student(), momentum=0.5)
    with pytest.raises(ValueError, match="momentum must be a number from 0 to 1"):
        teacher.update(student(), momentum=momentum)


@pytest.mark.parametrize("step", [-1, 11])
def test_a_step_outside_the_schedule_is_refused(step):
    with pytest.raises(ValueError, match="step must be from 0 to total_steps = 10"):
        cosine_momentum(step, total_steps=10)


def test_another_network_is_refused_by_the_names_that_differ():
    with pytest.raises(ValueError, match=r"they differ in \['bias', 'weight'\]|must have the same parameters"):
        averaged({"weight": torch.ones(1)}, {"bias": torch.ones(1)}, 0.5)
