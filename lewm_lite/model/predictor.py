"""The predictor: from embeddings and actions up to a time step, the embedding of the next."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from lewm_lite.model.attention import Attention, FeedForward, dropout, silu

EPSILON = 1e-6  # of the LayerNorms that the action bends


class ActionEncoder(nn.Module):
    """One block of actions, ``(..., action_dim)`` -> ``(..., dim)``: narrowed to a few numbers, then widened.

    Source:
        The authors' ``Embedder`` (lucas-maes/le-wm at 8edfeb3, ``module.py``), whose first layer is a convolution over
        time of width 1: the same as a matrix product at each time step.
    """

    def __init__(self, action_dim: int, *, bottleneck: int, hidden_dim: int, dim: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(action_dim, bottleneck)
        self.hidden = nn.Linear(bottleneck, hidden_dim)
        self.output = nn.Linear(hidden_dim, dim)

    def forward(self, actions: Tensor) -> Tensor:
        """``(..., action_dim)`` -> ``(..., dim)``."""
        return self.output(silu(self.hidden(self.narrow(actions))))


class ConditionalBlock(nn.Module):
    r"""Attention over time, then a network on each step; what is done decides how much of either comes in.

    $x + g_a \odot f(\mathrm{LN}(x)(1 + s_a) + b_a)$ for each of the two, where shift $b$, scale $s$ and gate $g$ are
    affine in the action's embedding (adaptive LayerNorm, AdaLN). That affine map starts at 0 ("zero"): all gates are
    shut and the block passes on what it gets, so that the predictor starts blind to what is done and learns first what
    an embedding alone tells of the next, instead of starting as noise added to the embeddings. In both parts a second
    LayerNorm, with weights of its own, stands behind the first; that is odd, and it is so in the released weights.

    Source:
        Peebles & Xie 2023, arXiv:2212.09748, for AdaLN-zero; the authors' ``ConditionalBlock`` (lucas-maes/le-wm at
        8edfeb3, ``module.py``): order shift, scale, gate, first of the attention, then of the network.
    """

    def __init__(self, dim: int, *, heads: int, head_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__()
        self.dim, self.dropout = dim, dropout
        self.modulation = nn.Linear(dim, 6 * dim)
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads, head_dim=head_dim, bias=False, causal=True, dropout=dropout)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = FeedForward(dim, mlp_dim, dropout=dropout)

    def forward(self, steps: Tensor, action: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """``(batch, time, dim)`` and the actions' embeddings of the same shape -> the same shape."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.modulation(silu(action)).chunk(6, -1)
        bent = layer_norm(steps, (self.dim,), eps=EPSILON) * (1 + scale) + shift
        mixed = self.attention(self.attention_norm(bent), generator=generator)
        steps = steps + gate * dropout(mixed, self.dropout, generator=generator)
        bent = layer_norm(steps, (self.dim,), eps=EPSILON) * (1 + mlp_scale) + mlp_shift
        made = self.mlp(self.mlp_norm(bent), generator=generator)
        return steps + mlp_gate * dropout(made, self.dropout, generator=generator)


class Predictor(nn.Module):
    """Blocks over at most ``context`` time steps. No step sees a later one.

    Args:
        context: how many time steps it can look back on, the present one included.
        dim, depth, heads, head_dim, mlp_dim: sizes. dropout: acts in training mode, where a generator is given.
    Source:
        The authors' ``ARPredictor`` (lucas-maes/le-wm at 8edfeb3, ``module.py``).
    """

    def __init__(
        self, *, context: int, dim: int, depth: int, heads: int, head_dim: int, mlp_dim: int, dropout: float
    ) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.empty(1, context, dim))
        self.blocks = nn.ModuleList(
            ConditionalBlock(dim, heads=heads, head_dim=head_dim, mlp_dim=mlp_dim, dropout=dropout)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, embeddings: Tensor, actions: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """``(batch, time, dim)`` and the actions' embeddings of that shape -> the same shape, before the projector."""
        drops = generator if self.training else None
        steps = embeddings + self.positions[:, : embeddings.shape[1]]
        for block in self.blocks:
            steps = block(steps, actions, generator=drops)
        return self.norm(steps)

    def initialise(self, generator: torch.Generator) -> None:
        """First weights: as :func:`initialise_affine`, the positions Gaussian with std 1, and the gates shut."""
        initialise_affine(self, generator)
        nn.init.normal_(self.positions, generator=generator)
        for block in self.blocks:
            nn.init.zeros_(block.modulation.weight)
            nn.init.zeros_(block.modulation.bias)


def initialise_affine(module: nn.Module, generator: torch.Generator) -> None:
    r"""Every affine layer inside starts uniform in $\pm 1/\sqrt{\text{fan in}}$, weights and biases, as torch's do."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        elif isinstance(layer, nn.LayerNorm):
            layer.reset_parameters()
