"""Frames: normalised as written, and refused in words where they are not what they should be."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.world.frames import FRAME_LIMIT, check_frames, normalise_frames

GOOD = torch.zeros(2, 3, 3, 8, 16)


def test_black_and_white_become_what_the_means_and_stds_of_imagenet_say():
    frames = torch.zeros(2, 3, 4, 5, dtype=torch.uint8)
    frames[1] = 255
    found = normalise_frames(frames)
    assert found.dtype == torch.float32 and found.shape == frames.shape
    for channel, (mean, std) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        torch.testing.assert_close(found[0, channel], torch.full((4, 5), -mean / std))
        torch.testing.assert_close(found[1, channel], torch.full((4, 5), (1 - mean) / std))


def test_every_normalised_picture_passes_the_check_at_any_number_of_axes():
    frames = torch.randint(0, 256, (2, 5, 3, 8, 16), dtype=torch.uint8, generator=seeded(0))
    check_frames(normalise_frames(frames), patch_size=8, dtype=torch.float32)
    assert torch.equal(normalise_frames(frames)[1, 2], normalise_frames(frames[1, 2]))


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        ([[0]], TypeError, "frames must be a torch.Tensor, got list"),
        (torch.zeros(3, 8, 8), TypeError, "torch.uint8, got torch.float32: are they normalised already"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), TypeError, "got torch.int64"),
        (torch.zeros(8, 8, 3, dtype=torch.uint8), ShapeError, r"got shape \(8, 8, 3\): channels come before height"),
        (torch.zeros(1, 8, 8, dtype=torch.uint8), ShapeError, r"must be \(\.\.\., 3, height, width\)"),
        (torch.zeros(8, 8, dtype=torch.uint8), ShapeError, r"got shape \(8, 8\)"),
    ],
)
def test_what_is_no_8_bit_picture_is_not_normalised(frames, error, message):
    with pytest.raises(error, match=message):
        normalise_frames(frames)


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        (GOOD.to(torch.uint8), TypeError, r"normalised float32, got torch.uint8: call normalise_frames\(frames\)"),
        (GOOD.long(), TypeError, "floating-point"),
        (GOOD.double(), TypeError, "torch.float32 like the model's weights, got torch.float64"),
        (GOOD.half(), TypeError, "got torch.float16"),
        (GOOD[0], ShapeError, r"\(batch, time, channels, height, width\), got .*frames\[:, None\]"),
        (GOOD[:0], ShapeError, "must not be empty"),
        (GOOD[:, :, :1], ShapeError, "3, height, width"),
        (GOOD.movedim(2, -1), ShapeError, "channels come before height and width"),
        (GOOD[..., :7, :], ShapeError, "multiples of the patch, 8 pixels, got 7 x 16"),
        (GOOD[..., :12], ShapeError, "got 8 x 12"),
        (GOOD + torch.nan, ValueError, "NaN or infinite values out of 2304"),
        (GOOD + 255, ValueError, "as large as 255, but a normalised pixel lies between -2.12 and 2.64"),
        (GOOD - FRAME_LIMIT * 1.01, ValueError, "as large as 8.08"),
    ],
)
def test_what_is_no_normalised_clip_is_refused(frames, error, message):
    with pytest.raises(error, match=message):
        check_frames(frames, patch_size=8, dtype=torch.float32)


def test_noise_on_a_picture_is_let_through():
    check_frames(2.64 + torch.randn(GOOD.shape, generator=seeded(0)), patch_size=8, dtype=torch.float32)
