"""Pixels and the numbers behind them are found wherever an environment keeps them."""

from __future__ import annotations

import numpy as np
import pytest

from lewm_lite.world.views import frame_of, proprio_of, resized, state_of

FRAME = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


class Shows:
    """An environment, as far as frame_of() knows one."""

    def __init__(self, frame=None):
        self.frame = frame

    def render(self):
        return self.frame


@pytest.mark.parametrize(
    ("env", "observation"),
    [
        (Shows(), FRAME),
        (Shows(), FRAME.transpose(2, 0, 1)),
        (Shows(), {"pixels": FRAME, "agent_pos": np.zeros(2)}),
        (Shows(), {"image": FRAME}),
        (Shows(FRAME), np.zeros(5)),
        (Shows(FRAME), {"state": np.zeros(5)}),
        (Shows(FRAME), (np.zeros(5), np.zeros((2, 2)))),
        (Shows(FRAME), ("running", "red")),
    ],
)
def test_pixels_are_found_where_they_are(env, observation):
    assert np.array_equal(frame_of(env, observation), FRAME)


def test_an_environment_that_shows_nothing_is_told_how_to():
    with pytest.raises(ValueError, match="shows no pixels: make it with render_mode='rgb_array'"):
        frame_of(Shows(), np.zeros(5))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME / 255,
        np.full((4, 6, 3), np.nan),
        FRAME.astype(np.int64),
        FRAME[:, :, :1],
        FRAME[:, :, 0],
        np.zeros((4, 6, 4), np.uint8),
        np.zeros((0, 6, 3), np.uint8),
    ],
    ids=lambda frame: f"{frame.shape} {frame.dtype}",
)
def test_pixels_that_are_not_8_bit_colour_are_refused(frame):
    with pytest.raises(ValueError, match=r"pixels must be 8-bit colour, \(height, width, 3\) uint8, got shape"):
        frame_of(Shows(frame), np.zeros(5))


def test_a_smaller_frame_has_the_means_of_areas():
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[:2, :2] = [[[10, 0, 0], [20, 0, 0]], [[30, 0, 0], [43, 0, 0]]]
    small = resized(frame, 2)
    assert small.dtype == np.uint8 and small.shape == (2, 2, 3)
    assert small[:, :, 0].tolist() == [[26, 0], [0, 0]]
    assert np.array_equal(frame_of(Shows(), frame, size=2), small)
    assert frame_of(Shows(), frame, size=4) is frame


def test_a_size_that_does_not_divide_keeps_the_brightness():
    frame = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    assert resized(frame, 64).mean() == pytest.approx(frame.mean(), abs=0.5)
    assert resized(np.full((5, 5, 3), 255, np.uint8), 3).min() == 255


def test_where_sizes_do_not_divide_neighbours_share_what_both_touch():
    frame = np.zeros((2, 3, 3), np.uint8)
    frame[:, 2] = 90
    assert resized(frame, 2)[:, :, 0].tolist() == [[0, 45], [0, 45]]


@pytest.mark.parametrize("value", ["running", None, ("red", 2), [[1.0], 2.0], {"x": 1}], ids=str)
def test_what_is_no_numbers_is_no_state(value):
    assert state_of(FRAME, {"state": value}) is None and proprio_of({"agent_pos": value}, {}) is None
    assert state_of({"state": np.arange(2)}, {"state": value}).tolist() == [0, 1]
    assert state_of(np.arange(3), {"state": value}).tolist() == [0, 1, 2]


def test_an_observation_of_unlike_parts_or_of_words_is_no_state():
    for observation in ((np.zeros(5), np.zeros((2, 2))), ("running", "red")):
        assert state_of(observation, {}) is None and proprio_of(observation, {}) is None


def test_numbers_are_found_where_they_are():
    numbers, others = np.arange(3), np.arange(2.0)
    assert state_of(FRAME, {"state": numbers}).tolist() == [0, 1, 2]
    assert state_of({"state": numbers}, {}).tolist() == [0, 1, 2]
    assert state_of(numbers, {}).dtype == np.float32
    assert state_of(FRAME, {}) is None and state_of({"pixels": FRAME}, {}) is None
    assert proprio_of(FRAME, {"proprio": others}).tolist() == [0, 1]
    assert proprio_of({"agent_pos": others, "pixels": FRAME}, {}).tolist() == [0, 1]
    assert proprio_of(numbers, {"pos_agent": others}).tolist() == [0, 1]
    assert proprio_of(numbers, {}) is None
    assert state_of(numbers, {"state": 1.5}).tolist() == [1.5]
