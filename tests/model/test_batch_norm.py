"""BatchNorm is torch's, on more axes and more processes; its averages can be left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lewm_lite import ShapeError, seeded
from lewm_lite.model.batch_norm import BatchNorm, fresh_averages, frozen_averages


def pair():
    ours, theirs = BatchNorm(5), nn.BatchNorm1d(5)
    for layer in (ours, theirs):
        nn.init.normal_(layer.weight, 1, 0.3, generator=seeded(1))
        nn.init.normal_(layer.bias, 0, 0.3, generator=seeded(2))
    return ours, theirs


def clip(seed=0):
    return 3 + 2 * torch.randn(4, 3, 5, generator=seeded(seed))


def test_it_is_torch_s_over_all_axes_but_the_last_with_the_same_state():
    ours, theirs = pair()
    for seed in range(3):
        given, same = clip(seed).requires_grad_(), clip(seed).requires_grad_()
        found, wanted = ours(given), theirs(same.flatten(0, 1)).view(4, 3, 5)
        torch.testing.assert_close(found, wanted)
        found.pow(3).sum().backward()
        wanted.pow(3).sum().backward()
        torch.testing.assert_close(given.grad, same.grad, rtol=1e-4, atol=1e-4)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)
    torch.testing.assert_close(ours.eval()(clip(9)), theirs.eval()(clip(9).flatten(0, 1)).view(4, 3, 5))


def test_half_precision_is_computed_in_float32():
    ours, _ = pair()
    given = clip().to(torch.bfloat16)
    found = ours(given)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, pair()[0](given.float()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_layer_of_half_precision_computes_in_float32_and_gives_its_own(dtype):
    ours, wanted = pair()[0].to(dtype), pair()[0].to(dtype).float()
    given = clip().to(dtype)
    found = ours(given)
    assert found.dtype == ours.running_mean.dtype == dtype
    assert torch.equal(found, wanted(given.float()).to(dtype))
    torch.testing.assert_close(ours.running_mean.float(), wanted.running_mean, rtol=0.01, atol=0.01)
    found, wanted = ours.eval()(given), wanted.eval()
    wanted.running_mean.copy_(ours.running_mean)
    wanted.running_var.copy_(ours.running_var)
    assert found.dtype == dtype and torch.equal(found, wanted(given.float()).to(dtype))


def test_inputs_of_double_precision_leave_the_averages_in_their_own():
    ours, theirs = pair()
    assert ours(clip().double()).dtype == torch.float64
    theirs(clip().flatten(0, 1))
    torch.testing.assert_close(ours.running_var, theirs.running_var)


def test_one_sample_in_training_has_no_spread_and_is_refused_in_evaluation_it_is_fine():
    ours, _ = pair()
    with pytest.raises(ShapeError, match=r"at least 2 samples in training mode, got shape \(1, 1, 5\).*model.eval"):
        ours(torch.zeros(1, 1, 5))
    assert ours.eval()(torch.zeros(1, 1, 5)).shape == (1, 1, 5)


def test_frozen_averages_stay_where_they_were_and_move_again_afterwards():
    ours, _ = pair()
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with frozen_averages(ours):
        inside = ours(clip())
    assert all(torch.equal(ours.state_dict()[name], value) for name, value in before.items())
    torch.testing.assert_close(ours(clip()), inside)
    assert not torch.equal(ours.running_mean, before["running_mean"])
    with pytest.raises(RuntimeError, match="inside"), frozen_averages(ours):
        raise RuntimeError("inside")
    assert ours.momentum == 0.1


def test_fresh_averages_are_those_of_the_batches_inside_and_of_no_others():
    ours, _ = pair()
    for _ in range(5):
        ours(clip() + 100)  # long gone
    batches = [clip(seed) for seed in range(20)]
    with torch.no_grad(), fresh_averages(ours):
        inside = [ours(batch) for batch in batches]
    torch.testing.assert_close(ours.running_mean, torch.stack([b.mean((0, 1)) for b in batches]).mean(0))
    torch.testing.assert_close(ours.running_var, torch.stack([b.flatten(0, 1).var(0) for b in batches]).mean(0))
    assert ours.momentum == 0.1
    missed = ours.eval()(torch.cat(batches)) - torch.cat(inside)
    assert missed.square().mean().sqrt() < 0.5


@pytest.mark.parametrize("batches", [0, 1])
def test_an_error_while_averages_are_made_anew_puts_back_what_was(batches):
    ours, _ = pair()
    ours(clip() + 100)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(RuntimeError, match="inside"), fresh_averages(ours):
        for seed in range(batches):
            ours(clip(seed))
        raise RuntimeError("inside")
    assert ours.momentum == 0.1
    assert all(torch.equal(ours.state_dict()[name], value) for name, value in before.items())


def test_averages_of_no_batch_are_those_that_were():
    ours, _ = pair()
    ours(clip() + 100)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with fresh_averages(ours):
        pass
    assert all(torch.equal(ours.state_dict()[name], value) for name, value in before.items())


def test_where_steps_move_the_mean_by_more_than_the_spread_old_averages_mislead_and_fresh_ones_do_not():
    linear, norm = nn.Linear(5, 5), BatchNorm(5)
    nn.init.normal_(linear.weight, std=0.01, generator=seeded(0))
    batches = [torch.randn(64, 5, generator=seeded(seed)) for seed in range(30)]
    with torch.no_grad():
        for step in range(120):
            linear.bias.fill_(0.02 * step)  # training moves what all samples share, the loss does not see it
            norm(linear(batches[step % 30]))
        wanted = norm(linear(batches[0]))

        def missed():
            return (norm.eval()(linear(batches[0])) - wanted).square().mean().sqrt().item()

        assert missed() > 3
        with fresh_averages(norm.train()):
            for batch in batches:
                norm(linear(batch))
        assert missed() < 0.3
