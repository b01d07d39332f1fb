"""The LeWorldModel: sizes, causality, shut gates at the start, imagination, and inputs that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_world_model import SMALL
from torch import nn

from lewm_lite import ShapeError, seeded
from lewm_lite.model.presets import PRESETS, WorldModelConfig, preset
from lewm_lite.model.world_model import LeWorldModel, parameter_table

TINY = replace(SMALL, image_size=16, patch_size=8, encoder_depth=2, predictor_depth=2)


def tiny(*, awake=True):
    """A small model in evaluation mode; awake, its gates are open and its actions matter."""
    model = LeWorldModel(TINY, action_dim=4, generator=seeded(0)).eval()
    for block in model.predictor.blocks if awake else ():
        nn.init.normal_(block.modulation.weight, std=0.5, generator=seeded(1))
        nn.init.normal_(block.modulation.bias, std=0.5, generator=seeded(2))
    return model


def clip(batch=3, time=4, seed=0):
    generator = seeded(seed)
    frames = torch.randn(batch, time, 3, 16, 16, generator=generator)
    return frames, torch.randn(batch, time, 4, generator=generator)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_of_half_precision_embeds_and_predicts_in_it(dtype, training):
    model, (frames, actions) = tiny().to(dtype).train(training), clip()
    embeddings = model.encode(frames.to(dtype))
    predictions = model.predict(embeddings[:, :3], actions[:, :3].to(dtype))
    assert embeddings.dtype == predictions.dtype == dtype
    torch.testing.assert_close(embeddings.float(), tiny().train(training).encode(frames), rtol=0, atol=0.15)


def seen(model, frames, actions):
    with torch.no_grad():
        return model.encode(frames)[:, :3], actions[:, :3]


# ------------------------------------------------------------------ sizes


PAPER = {
    "encoder": 5_501_376,
    "projector": 792_768,
    "action_encoder": 156_206,
    "predictor": 10_791_360,
    "prediction_projector": 792_768,
    "total": 18_034_478,
}


def test_the_paper_preset_has_the_parameters_of_the_released_weights():
    with torch.device("meta"):
        model = LeWorldModel.from_preset("paper", action_dim=10)
    assert parameter_table(model) == PAPER
    assert sum(entry.numel() for entry in model.parameters()) == PAPER["total"]
    wider = LeWorldModel(replace(TINY), action_dim=29, generator=seeded(0))
    assert parameter_table(wider)["total"] - parameter_table(tiny())["total"] == 25 * 10  # of OGBench-Cube: 150 more


def test_the_lite_preset_is_the_same_classes_and_small():
    model = LeWorldModel.from_preset("lite", action_dim=10)
    table = parameter_table(model)
    assert table.keys() == PAPER.keys()
    assert 100_000 < table["total"] < 600_000
    frames, actions = torch.zeros(2, 4, 3, 32, 32), torch.zeros(2, 4, 10)
    foresight = model(frames, actions)
    dim = model.config.dim
    assert foresight.embeddings.shape == (2, 4, dim) and foresight.predictions.shape == (2, 3, dim)


def test_shapes_are_as_promised():
    model, (frames, actions) = tiny(), clip()
    embeddings = model.encode(frames)
    assert embeddings.shape == (3, 4, 8)
    assert model.predict(embeddings[:, :2], actions[:, :2]).shape == (3, 2, 8)
    assert model.rollout(embeddings[:, :1], actions).shape == (3, 4, 8)
    assert model.encode(torch.zeros(1, 1, 3, 24, 40)).shape == (1, 1, 8)  # other multiples of the patch


def test_a_name_or_a_size_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of \['lite', 'paper'\], got 'large'"):
        LeWorldModel.from_preset("large", action_dim=10)
    with pytest.raises(ValueError, match="action_dim must be an integer of at least 1, got 0"):
        LeWorldModel.from_preset("lite", action_dim=0)
    for change, message in [
        ({"dim": 0}, "dim must be an integer"),
        ({"image_size": 20}, "image_size must be a multiple of patch_size, got 20 and 8"),
        ({"encoder_heads": 3}, "dim must be a multiple of encoder_heads, got 8 and 3"),
        ({"encoder_init_std": 0.0}, "encoder_init_std must be a finite number above 0"),
        ({"dropout": 1.0}, "dropout must be a share"),
    ]:
        with pytest.raises(ValueError, match=message):
            replace(TINY, **change)
    assert preset("paper") is PRESETS["paper"]


# ------------------------------------------------------------------ the start


def test_a_start_is_the_generator_s_and_leaves_the_global_random_state_alone():
    state = torch.get_rng_state()
    first, same, other = (LeWorldModel(TINY, action_dim=4, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.training
    for (name, value), again, different in zip(
        first.state_dict().items(), same.state_dict().values(), other.state_dict().values(), strict=True
    ):
        assert torch.isfinite(value).all() and torch.equal(value, again), name
        fixed = "norm" in name or "modulation" in name or (name.startswith("encoder") and name.endswith("bias"))
        assert torch.equal(value, different) == fixed, name


def test_first_weights_have_the_sizes_of_the_authors():
    model = LeWorldModel.from_preset("lite", action_dim=10)
    state = model.state_dict()
    assert state["encoder.positions"].std().item() == pytest.approx(0.02, rel=0.1)
    for name in ("encoder.patches.weight", "encoder.blocks.0.mlp.hidden.weight"):  # wider than theirs, by the preset
        assert state[name].std().item() == pytest.approx(state[name].shape[1] ** -0.5, rel=0.1), name
    theirs = LeWorldModel(replace(model.config, encoder_init_std=0.02), action_dim=10, generator=seeded(0))
    assert theirs.encoder.patches.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert WorldModelConfig().encoder_init_std == 0.02
    for name in ("predictor.blocks.0.mlp.hidden", "projector.output", "prediction_projector.hidden"):
        weight = state[f"{name}.weight"]
        assert weight.abs().max().item() == pytest.approx(weight.shape[1] ** -0.5, rel=0.01), name
        assert state[f"{name}.bias"].abs().sum() > 0
    assert state["predictor.positions"].std().item() == pytest.approx(1, rel=0.2)
    assert state["projector.norm.running_var"].eq(1).all() and state["projector.norm.running_mean"].eq(0).all()


def test_with_shut_gates_the_predictor_passes_on_what_it_gets_and_ignores_actions():
    model = tiny(awake=False)
    embeddings, actions = seen(model, *clip())
    predicted = model.predict(embeddings, actions)
    passed_on = model.prediction_projector(model.predictor.norm(embeddings + model.predictor.positions))
    torch.testing.assert_close(predicted, passed_on)
    assert torch.equal(predicted, model.predict(embeddings, actions + 1))


def test_shut_gates_have_a_gradient_so_that_they_open():
    model = tiny(awake=False).train()
    embeddings, actions = seen(model, *clip())
    model.predict(embeddings, actions).square().sum().backward()
    for block in model.predictor.blocks:
        slope = block.modulation.weight.grad.unflatten(0, (6, 8)).abs().sum((1, 2))
        assert (slope[[2, 5]] > 0).all() and (slope[[0, 1, 3, 4]] == 0).all()  # the two gates, and nothing behind them
        assert all(entry.grad.abs().sum() == 0 for entry in block.attention.parameters())


# ------------------------------------------------------------------ causality


@pytest.mark.parametrize("changed", [1, 2])
def test_a_change_of_what_comes_later_leaves_a_prediction_as_it_was(changed):
    model = tiny()
    embeddings, actions = seen(model, *clip())
    before = model.predict(embeddings, actions)
    for which in ("embeddings", "actions"):
        moved = {"embeddings": embeddings.clone(), "actions": actions.clone()}
        moved[which][:, changed, :2] += 1  # not all by the same: LayerNorm takes that away
        after = model.predict(**moved)
        assert torch.equal(after[:, :changed], before[:, :changed]), which
        assert not torch.allclose(after[:, changed], before[:, changed], atol=1e-3), which


def test_what_came_earlier_matters():
    model = tiny()
    embeddings, actions = seen(model, *clip())
    moved = embeddings.clone()
    moved[:, 0, :2] += 1
    assert not torch.allclose(model.predict(moved, actions)[:, 2], model.predict(embeddings, actions)[:, 2], atol=1e-3)


def test_a_frame_s_embedding_depends_on_that_frame_alone():
    model, (frames, _) = tiny(), clip()
    before = model.encode(frames)
    frames[1, 2] += 1
    same = torch.ones(3, 4, dtype=torch.bool)
    same[1, 2] = False
    torch.testing.assert_close(model.encode(frames)[same], before[same])
    assert not torch.allclose(model.encode(frames)[1, 2], before[1, 2], atol=1e-4)


def test_in_training_the_batch_norm_of_the_projectors_looks_at_all_clips_and_times():
    model, (frames, actions) = tiny().train(), clip()
    seen_now = model.projector.norm.num_batches_tracked.clone()
    hidden = []
    model.projector.norm.register_forward_hook(lambda layer, given, made: hidden.append(made))
    model(frames, actions)
    assert model.projector.norm.num_batches_tracked == seen_now + 1
    torch.testing.assert_close(hidden[0].mean((0, 1)), torch.zeros(16), atol=1e-5, rtol=0)


# ------------------------------------------------------------------ the whole clip


def test_forward_embeds_all_and_predicts_each_but_the_first_from_those_before_it():
    model, (frames, actions) = tiny(), clip()
    foresight = model(frames, actions)
    torch.testing.assert_close(foresight.embeddings, model.encode(frames))
    torch.testing.assert_close(foresight.predictions, model.predict(foresight.embeddings[:, :3], actions[:, :3]))
    torch.testing.assert_close(model(frames, actions[:, :3]).predictions, foresight.predictions)
    torch.testing.assert_close(model(frames, actions + torch.tensor([0, 0, 0, 1])[:, None])[1], foresight.predictions)


def test_gradient_flows_into_predictions_and_targets():
    model, (frames, actions) = tiny(), clip()
    embeddings = model.encode(frames).detach().requires_grad_()
    miss = model.predict(embeddings[:, :3], actions[:, :3]) - embeddings[:, 1:]
    (slope,) = torch.autograd.grad(miss.square().sum(), embeddings)
    assert (slope.abs().sum((0, 2)) > 0).all()
    live = model(frames, actions)
    assert live.embeddings.requires_grad and live.predictions.requires_grad


def test_dropout_acts_in_training_where_a_generator_is_given():
    model = tiny()
    embeddings, actions = seen(model, *clip())
    plain = model.predict(embeddings, actions)
    assert torch.equal(model.predict(embeddings, actions, generator=seeded(0)), plain)
    model.train()
    without = model.predict(embeddings, actions)
    first, same = (model.predict(embeddings, actions, generator=seeded(0)) for _ in range(2))
    assert torch.equal(first, same) and not torch.allclose(first, without, atol=1e-3)
    assert torch.equal(model.predict(embeddings, actions), without)


# ------------------------------------------------------------------ imagination


def test_imagination_feeds_predictions_back_and_looks_no_further_than_the_context():
    model, (frames, actions) = tiny(), clip(time=6)
    start = model.encode(frames)[:, :1]
    imagined = model.rollout(start, actions[:, :5])
    path = start
    for step in range(5):
        first = max(0, step - 2)
        path = torch.cat([path, model.predict(path[:, first:], actions[:, first : step + 1])[:, -1:]], 1)
    torch.testing.assert_close(imagined, path[:, 1:])


def test_imagination_goes_on_from_several_frames_with_what_was_done_between_them():
    model, (frames, actions) = tiny(), clip(time=6)
    embeddings = model.encode(frames)
    imagined = model.rollout(embeddings[:, :3], actions[:, 2:5], past_actions=actions[:, :2])
    torch.testing.assert_close(imagined[:, 0], model.predict(embeddings[:, :3], actions[:, :3])[:, -1])
    window = torch.cat([embeddings[:, 1:3], imagined[:, :1]], 1)
    torch.testing.assert_close(imagined[:, 1], model.predict(window, actions[:, 1:4])[:, -1])
    alone = model.rollout(embeddings[:, :3], actions[:, 2:5])
    torch.testing.assert_close(alone, model.rollout(embeddings[:, 2:3], actions[:, 2:5]))
    assert not torch.allclose(alone, imagined, atol=1e-4)


def test_a_long_past_is_cut_to_the_context():
    model, (frames, actions) = tiny(), clip(time=6)
    embeddings = model.encode(frames)
    long = model.rollout(embeddings[:, :5], actions[:, 4:6], past_actions=actions[:, :4])
    torch.testing.assert_close(long, model.rollout(embeddings[:, 2:5], actions[:, 4:6], past_actions=actions[:, 2:4]))


# ------------------------------------------------------------------ what is refused


def test_frames_that_are_not_what_the_encoder_wants_are_refused():
    model, (frames, actions) = tiny(), clip()
    for given, error, message in [
        (frames.to(torch.uint8), TypeError, "normalise_frames"),
        (frames.double(), TypeError, "torch.float32"),
        (frames[..., :12], ShapeError, "multiples of the patch, 8 pixels, got 16 x 12"),
        (frames * torch.nan, ValueError, "NaN"),
        (frames + 100, ValueError, "a normalised pixel lies between"),
        (frames[0], ShapeError, "batch, time, channels, height, width"),
    ]:
        with pytest.raises(error, match=message):
            model.encode(given)
        with pytest.raises(error, match=message):
            model(given, actions)
    with pytest.raises(ShapeError, match="at least 2 time steps"):
        model(frames[:, :1], actions[:, :1])
    with pytest.raises(ShapeError, match="embeddings must hold at most 3 time steps"):
        model(torch.cat([frames, frames[:, :1]], 1), torch.cat([actions, actions[:, :1]], 1))


def test_embeddings_and_actions_that_do_not_fit_are_refused():
    model, (frames, actions) = tiny(), clip()
    embeddings, actions = seen(model, frames, actions)
    for given, error, message in [
        ((embeddings[..., :7], actions), ShapeError, r"embeddings must be \(batch, time, 8\) for this model"),
        ((embeddings[0], actions), ShapeError, r"got shape \(3, 8\)"),
        (
            (embeddings, actions[..., :2]),
            ShapeError,
            r"actions must be \(batch, time, 4\).*a block of frame_skip steps",
        ),
        ((embeddings, actions[:, :2]), ShapeError, "embeddings and actions must share batch and time"),
        ((embeddings[:2], actions), ShapeError, "must share batch and time"),
        ((embeddings[:, :0], actions[:, :0]), ShapeError, "embeddings must be"),
        ((embeddings.double(), actions), TypeError, "embeddings must be torch.float32 like the model's weights"),
        ((embeddings, actions.long()), TypeError, "actions must hold floating-point numbers"),
        ((embeddings * torch.inf, actions), ValueError, "embeddings holds"),
        ((embeddings, actions * torch.nan), ValueError, "actions holds"),
    ]:
        with pytest.raises(error, match=message):
            model.predict(*given)
    for given, error, message in [
        ((embeddings, actions, actions), ShapeError, "past_actions must be one fewer than the 3 embeddings"),
        ((embeddings, actions, actions[..., :1]), ShapeError, "past_actions must be"),
        ((embeddings[:1], actions, None), ShapeError, "must share the batch"),
        ((embeddings, actions[:, :0], None), ShapeError, "actions must be"),
        ((embeddings[:, :0], actions, None), ShapeError, "embeddings must be"),
    ]:
        with pytest.raises(error, match=message):
            model.rollout(*given[:2], past_actions=given[2])
    with pytest.raises(ShapeError, match=r"actions must be \(batch, 4, 4\), one for each frame, got shape \(3, 2, 4\)"):
        model(frames, actions[:, :2])
