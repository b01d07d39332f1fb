"""Blocks of actions are those that a dataset makes, there and back."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import EpisodeDataset, ShapeError, collect_episodes, seeded
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.making import make_environment
from lewm_lite.world.policies import ThroughDoor

BLOCKS = ActionBlocks(frame_skip=3, mean=(0.5, -1.0), std=(2.0, 0.25))


def test_there_and_back_is_the_same():
    actions = torch.randn(4, 12, 2, generator=seeded(0))
    packed = BLOCKS.pack(actions)
    assert packed.shape == (4, 4, 6)
    assert BLOCKS.action_dim == 6
    torch.testing.assert_close(BLOCKS.unpack(packed), actions)
    torch.testing.assert_close(packed[1, 2, 2:4], (actions[1, 7] - torch.tensor([0.5, -1.0])) / torch.tensor([2, 0.25]))


def test_a_dataset_makes_the_same_blocks(tmp_path):
    env = make_environment("lewm_lite/TwoRoom-v0", size=16)
    collect_episodes(env, ThroughDoor(), episodes=4, path=tmp_path / "rooms.h5", seed=0)
    dataset = EpisodeDataset(tmp_path / "rooms.h5", clip_length=3, frame_skip=5)
    blocks = ActionBlocks.of_dataset(dataset)
    assert blocks.frame_skip == 5
    assert blocks.action_dim == dataset.action_dim
    whole = dataset.episode(0)
    torch.testing.assert_close(blocks.pack(whole.actions[:15]), dataset[0].actions)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"frame_skip": 0}, "frame_skip must be"),
        ({"mean": (0.0,)}, "one number each"),
        ({"mean": (), "std": ()}, "one number each"),
        ({"std": (1.0, 0.0)}, "std above 0"),
        ({"mean": (0.0, float("nan"))}, "must be finite"),
    ],
    ids=str,
)
def test_facts_that_can_not_be_are_refused(facts, words):
    with pytest.raises(ValueError, match=words):
        ActionBlocks(**{"frame_skip": 2, "mean": (0.0, 0.0), "std": (1.0, 1.0), **facts})


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"multiple of frame_skip, 3, got shape \(10, 2\)"):
        BLOCKS.pack(torch.zeros(10, 2))
    with pytest.raises(ShapeError, match=r"steps, 2\)"):
        BLOCKS.pack(torch.zeros(9, 3))
    with pytest.raises(ShapeError, match=r"blocks, 6\)"):
        BLOCKS.unpack(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="NaN"):
        BLOCKS.pack(torch.full((3, 2), float("nan")))
