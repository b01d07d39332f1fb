"""What encoder and predictor are built of: attention between tokens, a network on each token, and dropout."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class Attention(nn.Module):
    """Each token looks at the others and takes in a mixture of what they say.

    Args:
        dim: width of a token.
        heads, head_dim: how many mixtures, and how wide each is; together they need not make ``dim``.
        bias: whether queries, keys and values have a bias.
        causal: whether a token sees only itself and the tokens before it.
        dropout: the share of looks that is left out, where a generator is given.
    """

    def __init__(
        self, dim: int, *, heads: int, head_dim: int, bias: bool, causal: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.heads, self.head_dim, self.causal, self.dropout = heads, head_dim, causal, dropout
        self.queries_keys_values = nn.Linear(dim, 3 * heads * head_dim, bias=bias)
        self.output = nn.Linear(heads * head_dim, dim)

    def forward(self, tokens: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """``(batch, tokens, dim)`` -> the same shape."""
        packed = self.queries_keys_values(tokens).unflatten(-1, (3, self.heads, self.head_dim))
        queries, keys, values = packed.permute(2, 0, 3, 1, 4).unbind()  # each (batch, heads, tokens, head_dim)
        if generator is None or self.dropout == 0:
            mixed = scaled_dot_product_attention(queries, keys, values, is_causal=self.causal)
        else:  # torch's own attention drops by the global random state
            mixed = dropout(self._looks(queries, keys), self.dropout, generator=generator) @ values
        return self.output(mixed.transpose(1, 2).flatten(2))

    def _looks(self, queries: Tensor, keys: Tensor) -> Tensor:
        """How much each token takes from each other one, ``(batch, heads, tokens, tokens)``; rows add up to 1."""
        scores = queries @ keys.mT / math.sqrt(self.head_dim)
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        return scores.softmax(-1)


class FeedForward(nn.Module):
    """A network with one hidden layer, the same for every token."""

    def __init__(self, dim: int, hidden_dim: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.hidden = nn.Linear(dim, hidden_dim)
        self.output = nn.Linear(hidden_dim, dim)

    def forward(self, tokens: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """``(..., dim)`` -> the same shape."""
        return self.output(dropout(gelu(self.hidden(tokens)), self.dropout, generator=generator))


def silu(values: Tensor) -> Tensor:
    """Each value times its own sigmoid; not torch's, whose gradient does not export."""
    return values * torch.sigmoid(values)


def dropout(values: Tensor, share: float, *, generator: torch.Generator | None) -> Tensor:
    """Leave out a share of the values and enlarge the rest to make up for it; without a generator, leave out nothing.

    torch's own dropout draws from the global random state, so that no run could be repeated from a generator.
    """
    if generator is None or share == 0:
        return values
    kept = torch.rand(values.shape, generator=generator, device=generator.device) >= share
    return values * kept.to(values) / (1 - share)
