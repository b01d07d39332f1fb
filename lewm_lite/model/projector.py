"""The last small network before the embeddings."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import gelu

from lewm_lite.model.batch_norm import BatchNorm


class Projector(nn.Module):
    """Affine, BatchNorm, GELU, affine: ``(..., dim)`` -> ``(..., dim)``.

    Why it is there: the encoder ends in a LayerNorm, which puts every token on one sphere in a hyperplane, whatever
    came in. In few dimensions that sphere is far from a Gaussian. In many it passes for one from every side, so that
    there the target is not out of reach, only slow to get to. Why its hidden layer has BatchNorm: what an affine layer
    puts out, with LayerNorm or without, is almost one point if what comes in is, and there SIGReg's gradient is small
    like the cloud. BatchNorm divides by the batch's own std, so that what spread is left, however small, comes out
    as 1. Of the projectors that ``python -m lewm_lite.experiments.projector_norms`` compares, it comes nearest to the
    target in the same number of steps, and loses least when it starts from almost one point.

    BatchNorm also takes away what is the same for all samples, so that the biases of the layer and of the LayerNorm
    before it never learn.
    """

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, hidden_dim)
        self.norm = BatchNorm(hidden_dim)
        self.output = nn.Linear(hidden_dim, dim)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(..., dim)`` -> the same shape. Every axis but the last is the batch of the BatchNorm."""
        return self.output(gelu(self.norm(self.hidden(inputs))))
