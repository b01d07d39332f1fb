"""The plain functions equal torch's layers at their start."""

from __future__ import annotations

import torch

from lewm_lite import seeded
from lewm_lite.model.norms import batch_norm, layer_norm

INPUTS = 3 * torch.randn(32, 16, generator=seeded(0)) + 1


def test_they_equal_torchs_layers():
    torch.testing.assert_close(batch_norm(INPUTS), torch.nn.BatchNorm1d(16)(INPUTS))
    torch.testing.assert_close(layer_norm(INPUTS), torch.nn.LayerNorm(16)(INPUTS))


def test_leading_axes_are_batches_of_their_own():
    both = torch.stack([INPUTS, 2 * INPUTS + 5])
    torch.testing.assert_close(batch_norm(both)[1], batch_norm(2 * INPUTS + 5))
