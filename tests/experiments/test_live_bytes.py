"""Memory is counted tensor by tensor: what is alive, what was alive at most, what the backward pass will need."""

from __future__ import annotations

import torch
from torch import nn

from lewm_lite.experiments.live_bytes import LiveBytes, SavedBytes, module_tensors, total_bytes


def test_the_peak_counts_what_is_alive_together_and_not_what_was_freed():
    before = torch.zeros(10)
    with LiveBytes([before]) as live:
        kept = torch.zeros(100)
        for _ in range(5):
            kept = kept + 1  # the old one dies after the new one is there
    assert (live.now, live.peak) == (40 + 400, 40 + 800)
    assert kept.sum() == 500


def test_views_and_changes_in_place_take_no_memory_of_their_own():
    with LiveBytes([]) as live:
        kept = torch.zeros(100)
        kept.add_(1)
        parts = kept.view(10, 10).mT[:3], kept[::2]
    assert live.peak == 400 and len(parts) == 2


def test_the_backward_pass_is_followed_too():
    weight = torch.ones(50, requires_grad=True)
    with LiveBytes([weight]) as live:
        weight.tanh().sum().backward()
    assert live.now == 200 + 200  # the weight and its gradient
    assert live.peak >= 3 * 200  # and, while the gradient was made, what tanh had kept for it


def test_saved_bytes_are_those_the_backward_pass_needs_each_once():
    weight, inputs = torch.randn(8, 8, requires_grad=True), torch.randn(16, 8)
    with SavedBytes([weight, inputs]) as saved:
        hidden = torch.tanh(inputs @ weight)  # keeps its own output, 16 · 8 numbers
        loss = (hidden * hidden).sum()  # keeps the same again
    assert saved.total == 16 * 8 * 4
    loss.backward()
    assert weight.grad is not None
    with SavedBytes([weight, inputs]) as saved, torch.no_grad():
        torch.tanh(inputs @ weight)
    assert saved.total == 0


def test_bytes_are_numbers_times_their_size():
    assert total_bytes([torch.zeros(3), None, torch.zeros(2, dtype=torch.float64)]) == 12 + 16
    assert total_bytes(module_tensors(nn.BatchNorm1d(5))) == 4 * 5 * 4 + 8  # and a count of batches
