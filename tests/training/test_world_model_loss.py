"""The LeWorldModel's loss: its parts, its randomness, one test per time step, and a step of the authors' sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_world_model import SMALL

from lewm_lite import ShapeError, random_directions, seeded, sigreg
from lewm_lite.model.world_model import Foresight, LeWorldModel
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step
from lewm_lite.training.world_model_loss import loss_and_gradient, loss_of, world_model_loss

TINY = replace(SMALL, image_size=16, patch_size=8)


# What these add is the same for every sample, and BatchNorm takes it away again: they never learn.
BEFORE_BATCH_NORM = {
    *("encoder.norm.bias", "projector.hidden.bias", "predictor.norm.bias", "prediction_projector.hidden.bias"),
}


def tiny(seed=0):
    model = LeWorldModel(TINY, action_dim=4, generator=seeded(seed))
    for block in model.predictor.blocks:
        torch.nn.init.normal_(block.modulation.weight, std=0.5, generator=seeded(1))
        torch.nn.init.normal_(block.modulation.bias, std=0.5, generator=seeded(2))
    return model


def clips(batch=6, seed=0, size=16):
    generator = seeded(seed)
    frames = torch.randn(batch, 4, 3, size, size, generator=generator)
    return frames, torch.randn(batch, 4, 4, generator=generator)


# ------------------------------------------------------------------ the parts


def test_the_loss_is_the_mean_squared_miss_and_one_sigreg_for_each_time_step():
    generator = seeded(0)
    embeddings = torch.randn(7, 4, 8, generator=generator) * torch.tensor([1, 0.5, 2, 3])[:, None]
    predictions = torch.randn(7, 3, 8, generator=generator)
    directions = random_directions(8, 16, generator=generator)
    loss = loss_of(Foresight(embeddings, predictions), directions, 0.3)
    misses = [(predictions[clip, step] - embeddings[clip, step + 1]).square() for clip in range(7) for step in range(3)]
    torch.testing.assert_close(loss.prediction, torch.stack(misses).mean())
    torch.testing.assert_close(loss.sigreg, sum(sigreg(embeddings[:, step], directions) for step in range(4)) / 4)
    torch.testing.assert_close(loss.total, loss.prediction + 0.3 * loss.sigreg)
    assert loss._fields == ("total", "prediction", "sigreg")


def test_the_loss_of_a_model_is_that_of_what_it_made_of_the_clip():
    model, (frames, actions) = tiny().eval(), clips()
    loss = world_model_loss(model, frames, actions, sigreg_weight=0.09, generator=seeded(0), num_directions=16)
    generator = seeded(0)
    torch.randint(2**62, (), generator=generator)
    wanted = loss_of(model(frames, actions), random_directions(8, 16, generator=generator), 0.09)
    for found, value in zip(loss, wanted, strict=True):
        torch.testing.assert_close(found, value)


def test_every_part_of_the_model_learns_and_no_target_is_held_still():
    model, (frames, actions) = tiny(), clips()
    world_model_loss(model, frames, actions, sigreg_weight=0.09, generator=seeded(0)).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert name in BEFORE_BATCH_NORM or parameter.grad.abs().max() > 1e-7, name
    # Without SIGReg, gradient still reaches the last frame, which is only ever a target; not in training mode, where
    # BatchNorm would bring it there from other frames.
    frames.requires_grad_()
    world_model_loss(tiny().eval(), frames, actions, sigreg_weight=0.0, generator=seeded(0)).total.backward()
    assert frames.grad[:, 3].abs().sum() > 0


def test_chance_is_the_generator_s_alone_and_fresh_at_each_call():
    model, (frames, actions) = tiny(), clips()

    def run(generator):
        return world_model_loss(model, frames, actions, sigreg_weight=0.1, generator=generator, num_directions=4)

    state = torch.get_rng_state()
    generator = seeded(0)
    first, second = run(generator), run(generator)
    again = run(seeded(0))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(found, same) for found, same in zip(first, again, strict=True))
    assert first.sigreg != second.sigreg and first.prediction != second.prediction  # other directions, other dropout


def test_how_much_is_drawn_does_not_depend_on_the_batch_so_that_processes_stay_together():
    model, after = tiny(), []
    for batch in (3, 6):
        generator = seeded(0)
        world_model_loss(model, *clips(batch), sigreg_weight=0.1, generator=generator)
        after.append(generator.get_state())
    assert torch.equal(*after)


def test_under_autocast_the_loss_is_float32():
    model, (frames, actions) = tiny().eval(), clips()
    wanted = world_model_loss(model, frames, actions, sigreg_weight=0.1, generator=seeded(0))
    with torch.autocast("cpu", torch.bfloat16):
        found = world_model_loss(model, frames, actions, sigreg_weight=0.1, generator=seeded(0))
    for value, exact in zip(found, wanted, strict=True):
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, exact, rtol=0.1, atol=0.02)


def test_what_cannot_be_is_refused():
    model, (frames, actions) = tiny(), clips()
    for weight in (-0.1, float("inf"), float("nan"), True, "a lot"):
        with pytest.raises(ValueError, match="sigreg_weight must be a finite number of at least 0"):
            world_model_loss(model, frames, actions, sigreg_weight=weight, generator=seeded(0))
    with pytest.raises(TypeError, match="generator must be a torch.Generator"):
        world_model_loss(model, frames, actions, sigreg_weight=0.1, generator=None)
    with pytest.raises(ShapeError, match="at least 2 samples"):
        world_model_loss(model, frames[:1], actions[:1], sigreg_weight=0.1, generator=seeded(0))
    with pytest.raises(TypeError, match="normalise_frames"):
        world_model_loss(model, frames.to(torch.uint8), actions, sigreg_weight=0.1, generator=seeded(0))


# ------------------------------------------------------------------ why one test per time step


def scores(embeddings):
    """SIGReg per time step, as in the loss, and of all time steps thrown together; means over draws of directions."""
    draws = [random_directions(embeddings.shape[-1], 64, generator=seeded(seed)) for seed in range(4)]
    per_step = torch.stack([sigreg(embeddings.transpose(0, 1), directions) for directions in draws]).mean().item()
    pooled = torch.stack([sigreg(embeddings.flatten(0, 1), directions) for directions in draws]).mean().item()
    return per_step, pooled


def test_a_cloud_that_is_wrong_at_each_moment_can_look_right_when_moments_are_pooled():
    points = torch.randn(512, 8, generator=seeded(0))
    ordered = points[points[:, 0].argsort()]  # the first coordinate grows with time: from all low to all high
    per_step, pooled = scores(ordered.unflatten(0, (4, 128)).transpose(0, 1))
    assert 0.7 < pooled < 1.5
    assert per_step > 4


def test_frames_that_stay_the_same_are_one_point_each_at_their_moment_and_four_when_pooled():
    still = torch.randn(128, 1, 8, generator=seeded(1)).expand(-1, 4, -1)
    per_step, pooled = scores(still)
    assert 0.7 < per_step < 1.5
    assert pooled == pytest.approx(4 * per_step, rel=1e-4)  # every point counts four times: the floor is 4.2, not 1.05


# ------------------------------------------------------------------ gradient as a function, and one step


def test_the_gradient_as_a_function_is_that_of_backward_and_touches_nothing():
    model, (frames, actions) = tiny().double(), clips()
    frames, actions = frames.double(), actions.double()
    directions = random_directions(8, 16, generator=seeded(3)).double()
    values = {name: value.detach().clone() for name, value in model.named_parameters()}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loss, gradient = loss_and_gradient(model, values, frames, actions, directions, 0.2)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not loss.total.requires_grad
    wanted = loss_of(model(frames, actions), directions, 0.2)
    wanted.total.backward()
    torch.testing.assert_close(loss.total, wanted.total.detach())
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(gradient[name], parameter.grad, rtol=1e-9, atol=1e-12)


def test_the_gradient_is_the_slope_of_the_loss():
    model, (frames, actions) = tiny().double(), clips()
    frames, actions = frames.double(), actions.double()
    directions = random_directions(8, 16, generator=seeded(3)).double()
    values = {name: value.detach() for name, value in model.named_parameters()}
    _, gradient = loss_and_gradient(model, values, frames, actions, directions, 0.2)
    nudge = {name: torch.randn(value.shape, generator=seeded(9)).double() for name, value in values.items()}
    ends = []
    for width in (1e-5, -1e-5):
        moved = {name: value + width * nudge[name] for name, value in values.items()}
        ends.append(loss_and_gradient(model, moved, frames, actions, directions, 0.2)[0].total.item())
    along = sum((gradient[name] * nudge[name]).sum().item() for name in values)
    assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(along, rel=1e-5)


def step(model, frames, actions, *, learning_rate):
    """The loss before and after one step of AdamW on the same clips, with the same chance."""
    values = {name: value.detach() for name, value in model.named_parameters()}
    before = world_model_loss(model, frames, actions, sigreg_weight=0.09, generator=seeded(0))
    gradients = dict(zip(values, torch.autograd.grad(before.total, list(model.parameters())), strict=True))
    config = AdamWConfig(learning_rate=learning_rate, weight_decay=1e-3)
    moved, _ = adamw_step(values, gradients, AdamWState.of(values), config)
    model.load_state_dict(moved, strict=False)
    with torch.no_grad():
        after = world_model_loss(model, frames, actions, sigreg_weight=0.09, generator=seeded(0))
    return before.total.item(), after.total.item()


@pytest.mark.slow
def test_one_step_of_the_authors_sizes_runs_and_lowers_the_loss():
    model = LeWorldModel.from_preset("paper", action_dim=10)
    generator = seeded(0)
    frames = torch.randn(2, 4, 3, 224, 224, generator=generator)
    actions = torch.randn(2, 4, 10, generator=generator)
    before, after = step(model, frames, actions, learning_rate=5e-5)
    assert 0 < after < before


def test_a_few_steps_of_the_lite_preset_lower_the_loss():
    model = LeWorldModel.from_preset("lite", action_dim=4)
    frames, actions = clips(16, size=32)
    losses = [step(model, frames, actions, learning_rate=1e-3) for _ in range(3)]
    assert losses[-1][1] < 0.9 * losses[0][0]
