"""A picture from an embedding, for looking only: what is drawn here never teaches the encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from lewm_lite.checks import ShapeError, check_finite, check_floating, check_generator, check_positive_integer
from lewm_lite.world.frames import CHANNELS

SMALLEST, LARGEST = 4, 7  # pixels of the first, coarse picture: its size doubles until the frame's is reached


class Decoder(nn.Module):
    """An affine map to a coarse picture of many channels, whose size is doubled again and again by deconvolutions.

    Args:
        dim: of an embedding. image_size: height and width of the picture: 4 to 7, doubled any number of times.
        channels: of the coarse picture; they are halved when the size is doubled, but never fewer than 16, which
            smaller numbers count as.
        generator: where the first weights come from.
    Raises:
        ValueError: a size that doubling does not reach. TypeError: no generator.
    Source:
        Ours. It reads the embedding behind the projector, the one that is predicted and that SIGReg sees.
    """

    def __init__(self, *, dim: int, image_size: int, channels: int = 64, generator: torch.Generator) -> None:
        super().__init__()
        for name, value in (("dim", dim), ("image_size", image_size), ("channels", channels)):
            check_positive_integer(name, value)
        check_generator(generator)
        self.dim, self.image_size, self.channels, self.coarse = dim, image_size, channels, image_size
        doublings = 0
        while self.coarse > LARGEST and self.coarse % 2 == 0:
            self.coarse, doublings = self.coarse // 2, doublings + 1
        if not SMALLEST <= self.coarse <= LARGEST:
            raise ValueError(
                f"image_size must be {SMALLEST} to {LARGEST} pixels, doubled any number of times, got {image_size}"
            )
        widths = [max(channels >> step, 16) for step in range(doublings)] + [CHANNELS]
        with torch.device("meta"):  # layers that are born with weights would draw them from the global random state
            self.first = nn.Linear(dim, widths[0] * self.coarse**2)
            self.doublings = nn.ModuleList(
                nn.ConvTranspose2d(ins, outs, kernel_size=4, stride=2, padding=1)
                for ins, outs in zip(widths, widths[1:], strict=False)
            )
        self.to_empty(device="cpu")
        for layer in (self.first, *self.doublings):
            # Each output of a deconvolution of width 4 and stride 2 adds up a quarter of its 16 weights per channel.
            fan_in = layer.in_features if isinstance(layer, nn.Linear) else 4 * layer.in_channels
            nn.init.normal_(layer.weight, std=(2 / fan_in) ** 0.5, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, embeddings: Tensor) -> Tensor:
        """``(*leading, dim)`` -> ``(*leading, channels, height, width)``, from 0, dark, to 1, bright.

        No gradient flows back into ``embeddings``: an encoder that made them is not taught by the picture.

        Raises:
            ShapeError: another dimension. TypeError: integers, or another dtype than the weights. ValueError: NaN or
            infinity.
        """
        check_floating("embeddings", embeddings)
        dtype = self.first.weight.dtype
        if embeddings.dtype != dtype and not torch.is_autocast_enabled(embeddings.device.type):
            raise TypeError(
                f"embeddings must be {dtype} like the decoder's weights, got {embeddings.dtype}: "
                f"try embeddings.to({dtype})"
            )
        if embeddings.ndim < 1 or embeddings.shape[-1] != self.dim:
            raise ShapeError(f"embeddings must be (..., {self.dim}), got shape {tuple(embeddings.shape)}")
        check_finite("embeddings", embeddings)
        leading = embeddings.shape[:-1]
        picture = self.first(embeddings.detach().reshape(-1, self.dim)).unflatten(-1, (-1, self.coarse, self.coarse))
        for layer in self.doublings:
            picture = layer(gelu(picture))
        return torch.sigmoid(picture).unflatten(0, leading) if leading else torch.sigmoid(picture)[0]


def decoder_loss(decoder: Decoder, embeddings: Tensor, frames: Tensor, *, weights: Tensor | float = 1.0) -> Tensor:
    """Mean squared error of the pictures, in shares of full brightness.

    Args:
        embeddings: ``(*leading, dim)``. frames: ``(*leading, channels, height, width)`` uint8, what they should show.
        weights: of pixels, of a shape that fits ``frames``: what matters may be small.
    Raises:
        TypeError: frames of another type than uint8. ShapeError: frames of another shape than the pictures.
    """
    if frames.dtype != torch.uint8:
        raise TypeError(f"frames must hold 8-bit pixels, torch.uint8, got {frames.dtype}")
    pictures = decoder(embeddings)
    if pictures.shape != frames.shape:
        raise ShapeError(f"frames must be {tuple(pictures.shape)} like the pictures, got shape {tuple(frames.shape)}")
    return (weights * (pictures - frames / 255).square()).mean()
