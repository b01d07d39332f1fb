"""Frames as the encoder wants them, and what is refused in their place."""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_finite, check_floating

CHANNELS = 3
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of red, green and blue, in shares of full brightness
IMAGENET_STD = (0.229, 0.224, 0.225)
# A normalised pixel lies between -2.12 and 2.64. Three times that leaves room for noise that someone adds to a picture,
# and still meets pixels that were never normalised.
FRAME_LIMIT = 8.0


def normalise_frames(frames: Tensor) -> Tensor:
    r"""8-bit pictures as the numbers an encoder expects: $(p / 255 - \mu_c) / \sigma_c$ for each colour $c$.

    Args:
        frames: ``(*leading, channels, height, width)`` uint8, three channels: red, green, blue.
    Returns:
        float32 of the same shape, from -2.12 to 2.64.
    Raises:
        TypeError: not a tensor, or not uint8. ShapeError: fewer than three axes, or other than three channels.
    Source:
        ImageNet's mean and std, as in the authors' LeWM code (lucas-maes/le-wm at 8edfeb3, ``utils.py``). Theirs
        also resizes to 224 pixels; ours leaves the size alone.
    Example:
        >>> white = torch.full((3, 8, 8), 255, dtype=torch.uint8)
        >>> [round(value, 2) for value in normalise_frames(white)[:, 0, 0].tolist()]
        [2.25, 2.43, 2.64]
    """
    if not isinstance(frames, Tensor):
        raise TypeError(f"frames must be a torch.Tensor, got {type(frames).__name__}: try torch.as_tensor(frames)")
    if frames.dtype != torch.uint8:
        raise TypeError(f"frames must hold 8-bit pixels, torch.uint8, got {frames.dtype}: are they normalised already?")
    _check_channels(frames)
    mean, std = (torch.tensor(values, device=frames.device)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (frames / 255 - mean) / std


def check_frames(frames: Tensor, *, patch_size: int, dtype: torch.dtype) -> None:
    """Refuse anything but normalised clips ``(batch, time, 3, height, width)`` that patches of this size cover.

    Raises:
        TypeError: not a tensor, uint8, or floating-point numbers of another ``dtype``.
        ShapeError: another rank, other than three channels, nothing in it, or a size that is no multiple of the patch.
        ValueError: NaN or infinity, or values that no normalised picture holds.
    """
    if isinstance(frames, Tensor) and frames.dtype == torch.uint8:
        raise TypeError("frames must be normalised float32, got torch.uint8: call normalise_frames(frames) first")
    check_floating("frames", frames)
    if frames.dtype != dtype:
        raise TypeError(f"frames must be {dtype} like the model's weights, got {frames.dtype}: try frames.to({dtype})")
    if frames.ndim != 5:
        raise ShapeError(
            f"frames must be (batch, time, channels, height, width), got shape {tuple(frames.shape)}: "
            "for single pictures add a time axis with frames[:, None]"
        )
    if 0 in frames.shape:
        raise ShapeError(f"frames must not be empty, got shape {tuple(frames.shape)}")
    _check_channels(frames)
    height, width = frames.shape[-2:]
    if height % patch_size or width % patch_size:
        raise ShapeError(
            f"frames must have a height and a width that are multiples of the patch, {patch_size} pixels, "
            f"got {height} x {width}"
        )
    check_finite("frames", frames)
    _check_range(frames)


def _check_channels(frames: Tensor) -> None:
    shape = tuple(frames.shape)
    if len(shape) < 3 or shape[-3] != CHANNELS:
        hint = (
            ": channels come before height and width, try frames.movedim(-1, -3)" if shape[-1:] == (CHANNELS,) else ""
        )
        raise ShapeError(f"frames must be (..., {CHANNELS}, height, width), got shape {shape}{hint}")


def _check_range(frames: Tensor) -> None:
    if torch.compiler.is_compiling():
        return  # a compiled or exported graph cannot branch on values
    try:
        largest = float(frames.detach().abs().amax())
    except RuntimeError:
        return  # under a symbolic trace the values cannot be read
    if largest > FRAME_LIMIT:
        raise ValueError(
            f"frames hold values as large as {largest:.4g}, but a normalised pixel lies between -2.12 and 2.64: "
            "pass 8-bit pixels through normalise_frames"
        )
