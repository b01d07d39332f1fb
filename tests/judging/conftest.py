"""A world model that is right without training: its embedding is the disc's place, its prediction the sum of steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lewm_lite import LeWorldModel, seeded
from lewm_lite.model.presets import PRESETS
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.frames import IMAGENET_STD
from lewm_lite.world.rooms import SPEED

BLOCKS = ActionBlocks(frame_skip=5, mean=(0.1, -0.1), std=(0.9, 0.8))


class KnownModel(LeWorldModel):
    """Sees where the red disc is, and knows of no walls."""

    def __init__(self) -> None:
        sizes = replace(PRESETS["lite"], dim=2, encoder_heads=1)
        super().__init__(sizes, action_dim=BLOCKS.action_dim, generator=seeded(0))
        self.action_blocks = BLOCKS
        self.eval()

    def encode(self, frames):
        offset = torch.tensor([0.485, 0.456])
        red, green = ((frames[:, :, channel] * IMAGENET_STD[channel]) + offset[channel] for channel in (0, 1))
        share = (red - green).clamp_min(0)
        share = share / share.sum((-2, -1), keepdim=True).clamp_min(1e-6)
        middle = (torch.arange(frames.shape[-1]) + 0.5) / frames.shape[-1]
        return torch.stack([(share.sum(-2) * middle).sum(-1), (share.sum(-1) * middle).sum(-1)], -1)

    def predict(self, embeddings, actions, *, generator=None):
        steps = BLOCKS.unpack(actions).clamp(-1, 1).unflatten(1, (-1, BLOCKS.frame_skip))
        return embeddings + SPEED * steps.sum(2)


@pytest.fixture
def known_model():
    """See :class:`KnownModel`."""
    return KnownModel()
