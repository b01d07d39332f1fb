"""The model that comes with the library still does what its manifest says, and its files are those that were judged."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from lewm_lite import asset_path, evaluate, load_checkpoint
from lewm_lite.experiments.lite_checkpoint import LiteCheckpointConfig, held_out_error, manifest
from lewm_lite.files import asset_root, sha256
from lewm_lite.judging.success import wilson_interval
from lewm_lite.model.presets import PRESETS
from lewm_lite.training.decoders import load_decoder
from lewm_lite.world.episode_dataset import EpisodeDataset
from lewm_lite.world.episodes import collect_episodes
from lewm_lite.world.making import make_environment, make_policy
from lewm_lite.world.registration import TWO_ROOM

BAR = 0.95  # of tasks that planning solves
EPISODES, SEED = 80, 7  # that the suite looks at


@pytest.fixture(scope="module")
def shipped():
    return load_checkpoint("lite")


def test_every_file_is_the_one_that_was_judged():
    made = manifest()["made"]
    assert set(made["sha256"]) == {"checkpoints/lite.safetensors", "decoders/lite.safetensors"}
    for name, digest in made["sha256"].items():
        assert sha256((asset_root() / name).read_bytes()) == digest
    assert made["command"] in manifest()["commands"] and len(manifest()["commands"]) == 3


def test_the_manifest_is_of_the_config_as_it_stands_and_clears_the_bar():
    told, config = manifest(), LiteCheckpointConfig()
    assert told["judged_by"] == json.loads(json.dumps(asdict(config)))
    planner, random, oracle = (told["evaluation"][who] for who in ("planner", "random", "oracle"))
    assert planner["trials"] == random["trials"] == config.episodes >= 1000
    assert planner["success"] >= BAR and planner["interval"][0] >= BAR
    assert 0.15 < random["success"] < 0.4 and oracle["success"] == 1
    seeds = told["over_training_seeds"]
    assert len({run["seed"] for run in seeds}) >= 3
    for run in seeds:
        assert run["report"]["planning"]["planner"]["success"] >= BAR
        assert run["report"]["linear_r2"] > 0.95


@pytest.mark.slow
def test_judged_again_its_planning_is_not_below_the_bar(shipped):
    """Fails when the one-sided 99 % upper bound of success is below the bar."""
    found = evaluate(shipped, episodes=EPISODES, seed=SEED)
    high = wilson_interval(found.planner.successes, found.planner.trials, confidence=0.98)[1]
    assert high >= BAR, found
    assert found.random.success < 0.5 and found.oracle.success == 1


def test_the_bar_can_be_missed():
    assert wilson_interval(EPISODES * 85 // 100, EPISODES, confidence=0.98)[1] < BAR


def test_it_has_the_preset_s_sizes_and_knows_its_actions(shipped):
    assert shipped.config == PRESETS["lite"] and not shipped.training
    assert shipped.action_blocks.frame_skip == 5 and shipped.action_dim == 10


def test_the_decoder_draws_the_disc_of_frames_that_neither_has_seen(shipped, tmp_path):
    env = make_environment(TWO_ROOM, size=32)
    collect_episodes(env, make_policy(None, env, noise=3.0), episodes=20, path=tmp_path / "new.h5", seed=123)
    dataset = EpisodeDataset(tmp_path / "new.h5", clip_length=4, frame_skip=5)
    error = held_out_error(load_decoder("lite"), shipped, dataset, clips=40)
    assert error["disc"] < 0.35 * error["disc_left_out"]
    assert error["pixels"] < 0.002
    with torch.no_grad():
        shuffled = load_checkpoint("lite")
        shuffled.projector.output.weight.mul_(0)
    assert held_out_error(load_decoder("lite"), shuffled, dataset, clips=40)["disc"] > 2 * error["disc"]


def test_the_files_are_small():
    sizes = [asset_path(name).stat().st_size for name in ("checkpoints/lite.safetensors", "decoders/lite.safetensors")]
    assert sum(sizes) < 2_000_000
