"""The encoder: a vision transformer that looks at one frame and says what it is in one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from lewm_lite.model.attention import Attention, FeedForward
from lewm_lite.world.frames import CHANNELS

EPSILON = 1e-12  # of every LayerNorm here, as in the code that the authors use
TOKEN_STD = 0.02  # of the class token and the positions at the start


class EncoderBlock(nn.Module):
    """Attention among the tokens of a frame, then a network on each; both are added to what was there."""

    def __init__(self, dim: int, *, heads: int, mlp_dim: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim, EPSILON)
        self.attention = Attention(dim, heads=heads, head_dim=dim // heads, bias=True)
        self.mlp_norm = nn.LayerNorm(dim, EPSILON)
        self.mlp = FeedForward(dim, mlp_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(frames, tokens, dim)`` -> the same shape."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.mlp(self.mlp_norm(tokens))


class Encoder(nn.Module):
    """Frames cut into square patches, one token each, beside a token of their own for the answer (the class token).

    Args:
        image_size: height and width of the frames it is made for, a multiple of ``patch_size``. Other multiples are
            taken too: the learned positions are then stretched over them.
        patch_size: in pixels. dim: width of a token. depth, heads, mlp_dim: of the blocks.
    Source:
        Dosovitskiy et al. 2021, arXiv:2010.11929, in the form of ``ViTModel`` of Hugging Face transformers that the
        authors of LeWM use (lucas-maes/le-wm at 8edfeb3, ``config/train/model/lewm.yaml``): LayerNorm before each part,
        GELU, no dropout, the class token behind the last LayerNorm. A patch is read by a matrix product where theirs is
        a convolution: the same numbers, and its gradient exports.
    """

    def __init__(self, *, image_size: int, patch_size: int, dim: int, depth: int, heads: int, mlp_dim: int) -> None:
        super().__init__()
        self.patch_size, self.grid = patch_size, image_size // patch_size
        self.class_token = nn.Parameter(torch.empty(1, 1, dim))
        self.positions = nn.Parameter(torch.empty(1, 1 + self.grid**2, dim))
        self.patches = nn.Linear(CHANNELS * patch_size**2, dim)
        self.blocks = nn.ModuleList(EncoderBlock(dim, heads=heads, mlp_dim=mlp_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, EPSILON)

    def forward(self, frames: Tensor) -> Tensor:
        """``(frames, channels, height, width)`` -> ``(frames, dim)``: the class token behind the last LayerNorm."""
        rows, columns = (size // self.patch_size for size in frames.shape[-2:])
        tokens = self.patches(self._cut(frames, rows, columns))
        tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], 1)
        tokens = tokens + self._positions(rows, columns)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens[:, 0])

    def _cut(self, frames: Tensor, rows: int, columns: int) -> Tensor:
        """``(frames, channels, height, width)`` -> ``(frames, patches, channels · patch · patch)``."""
        cut = frames.unflatten(-1, (columns, self.patch_size)).unflatten(-3, (rows, self.patch_size))
        return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Where each token stands; stretched by cubic interpolation over frames of a size it was not made for."""
        if (rows, columns) == (self.grid, self.grid):
            return self.positions
        own, places = self.positions[:, :1], self.positions[:, 1:]
        square = places.unflatten(1, (self.grid, self.grid)).movedim(-1, 1)
        stretched = interpolate(square, size=(rows, columns), mode="bicubic", align_corners=False)
        return torch.cat([own, stretched.flatten(2).mT], 1)

    def initialise(self, generator: torch.Generator, std: float | None) -> None:
        """First weights: Gaussian; biases 0; LayerNorms as if they were not there.

        Args:
            std: of the weights; None: one over the root of what their layer takes in.
        """
        for name, parameter in self.named_parameters():
            if "norm" in name:
                nn.init.constant_(parameter, 1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:
                own = parameter.shape[1] ** -0.5 if std is None else std
                nn.init.trunc_normal_(parameter, std=own, generator=generator)
            else:
                nn.init.trunc_normal_(parameter, std=TOKEN_STD, generator=generator)
