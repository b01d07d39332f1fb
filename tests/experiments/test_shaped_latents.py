"""Every shape holds the state, the motion is the same for all, and the fast form ranks them as the long run does."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from lewm_lite import asset_path, random_directions, seeded, sigreg
from lewm_lite.experiments.shaped_latents import SHAPES, ShapedLatentsConfig, judge, next_state, run, train, values

INVERTIBLE = [name for name in SHAPES if name != "low_rank"]


@pytest.fixture(scope="module")
def state():
    return torch.randn(20000, 4, generator=seeded(0))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_mean_0_and_the_energy_of_the_standard_gaussian(name, state):
    seen = SHAPES[name].see(state)
    assert seen.mean(0).abs().max() < 0.03
    assert abs(seen.var(0).mean() - 1) < 0.06


@pytest.mark.parametrize("name", INVERTIBLE)
def test_the_state_can_be_had_back_from_a_shape(name, state):
    inside = state[(state.abs() < 3.5).all(1)]
    torch.testing.assert_close(SHAPES[name].undo(SHAPES[name].see(inside)), inside, atol=2e-3, rtol=0)


def test_the_low_rank_shape_loses_the_last_coordinate_and_nothing_else(state):
    back = SHAPES["low_rank"].undo(SHAPES["low_rank"].see(state))
    torch.testing.assert_close(back[:, :3], state[:, :3])
    assert bool((back[:, 3] == 0).all())


def test_the_motion_keeps_lengths_and_turns_each_pair_by_itself(state):
    later = next_state(state)
    torch.testing.assert_close(later.norm(dim=1), state.norm(dim=1))
    torch.testing.assert_close(later[:, :2].norm(dim=1), state[:, :2].norm(dim=1))
    assert (later - state).abs().mean() > 0.3


def test_twisted_is_as_gaussian_as_the_gaussian_and_the_bent_ones_are_not(state):
    directions = random_directions(4, 64, generator=seeded(1))
    scores = {name: sigreg(SHAPES[name].see(state), directions).item() for name in INVERTIBLE}
    assert scores["gaussian"] < 3 and scores["twisted"] < 3
    assert min(scores[name] for name in ("stretched", "uniform", "clumped", "heavy_tailed")) > 20


def test_twisting_is_not_undone_by_the_motion(state):
    see = SHAPES["twisted"].see
    assert (see(next_state(state)) - next_state(see(state))).abs().mean() > 0.1


@pytest.fixture(scope="module")
def fast():
    config = ShapedLatentsConfig(seeds=(0, 1), hidden_dims=(32,), steps=300, judged=2000)
    return config, run(config)


def test_the_fast_form_ranks_the_shapes_as_the_long_run_does(fast):
    latent = {name: max(missed["latent"]) for name, missed in fast[1]["32"].items()}
    assert latent["gaussian"] < 0.03
    for name in ("uniform", "clumped", "heavy_tailed", "twisted"):
        assert min(fast[1]["32"][name]["latent"]) > 1.5 * latent["gaussian"]
    assert min(fast[1]["32"]["twisted"]["latent"]) > latent["clumped"]
    assert set(values(fast[1])) >= {"shaped_latents.h32.gaussian.latent", "shaped_latents.h32.twisted.state_high"}


def test_without_training_nothing_is_predicted():
    config = ShapedLatentsConfig(seeds=(0, 1), shapes=("gaussian",), hidden_dims=(8,), steps=0, judged=500)
    assert min(judge(config, train(config, 8))["gaussian"]["latent"]) > 0.5


@pytest.fixture(scope="module")
def kept():
    return json.loads(asset_path("results/shaped_latents.json").read_text(encoding="utf-8"))


def test_the_kept_result_is_of_the_config_as_it_stands(kept):
    assert kept["config"] == json.loads(json.dumps(asdict(ShapedLatentsConfig())))
    assert kept["values"] == values(kept["details"])


def test_the_kept_result_supports_what_is_said_of_it(kept):
    told = {name.removeprefix("shaped_latents."): value for name, value in kept["values"].items()}
    for width in ("h32", "h128"):
        for name in ("uniform", "clumped", "heavy_tailed", "twisted"):
            for reading in ("latent", "state"):
                assert told[f"{width}.{name}.{reading}_low"] > 5 * told[f"{width}.gaussian.{reading}_high"]
        bent = max(told[f"{width}.{name}.state_high"] for name in ("uniform", "clumped", "heavy_tailed"))
        assert told[f"{width}.twisted.state_low"] > bent
