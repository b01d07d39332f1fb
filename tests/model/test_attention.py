"""Attention against its formula, with and without dropout."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.model.attention import Attention, FeedForward, dropout, silu
from lewm_lite.model.predictor import initialise_affine

TOKENS = torch.randn(2, 4, 6, generator=seeded(0))


def attention(**given):
    layer = Attention(6, heads=2, head_dim=5, bias=True, **given)
    initialise_affine(layer, seeded(1))
    return layer


def by_hand(layer, tokens, *, causal):
    """One head, one token at a time."""
    packed = tokens @ layer.queries_keys_values.weight.T + layer.queries_keys_values.bias
    queries, keys, values = packed.split(10, -1)
    found = torch.zeros(2, 4, 10)
    for clip in range(2):
        for own in (slice(0, 5), slice(5, 10)):
            for place in range(4):
                seen = slice(0, place + 1) if causal else slice(0, 4)
                scores = keys[clip, seen, own] @ queries[clip, place, own] / 5**0.5
                found[clip, place, own] = scores.softmax(0) @ values[clip, seen, own]
    return found @ layer.output.weight.T + layer.output.bias


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_its_formula(causal):
    layer = attention(causal=causal)
    torch.testing.assert_close(layer(TOKENS), by_hand(layer, TOKENS, causal=causal))


@pytest.mark.parametrize("causal", [False, True])
def test_the_way_that_dropout_takes_computes_the_same_where_nothing_is_dropped(causal):
    layer = attention(causal=causal, dropout=1e-9)
    torch.testing.assert_close(layer(TOKENS, generator=seeded(0)), layer(TOKENS))


def test_dropout_keeps_the_mean_and_is_the_generator_s_alone():
    values = torch.ones(200, 200)
    found = dropout(values, 0.25, generator=seeded(0))
    assert found.unique().tolist() == pytest.approx([0, 4 / 3])
    assert found.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(found, dropout(values, 0.25, generator=seeded(0)))
    assert not torch.equal(found, dropout(values, 0.25, generator=seeded(1)))
    assert dropout(values, 0.25, generator=None) is values


def test_dropout_reaches_the_looks_and_the_hidden_layer():
    for layer in (attention(dropout=0.5), FeedForward(6, 8, dropout=0.5)):
        initialise_affine(layer, seeded(1))
        dropped = layer(TOKENS, generator=seeded(0))
        assert not torch.allclose(dropped, layer(TOKENS), atol=1e-3)
        assert torch.equal(dropped, layer(TOKENS, generator=seeded(0)))


def test_silu_is_torch_s():
    torch.testing.assert_close(silu(TOKENS), torch.nn.functional.silu(TOKENS))
