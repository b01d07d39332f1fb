"""A state is one picture, the same everywhere, and the picture shows where everything is."""

from __future__ import annotations

import hashlib
import timeit

import numpy as np
import pytest

from lewm_lite.world.drawing import COLOURS, Palette, colour_named, draw
from lewm_lite.world.rooms import RADIUS

# Of fifty states each, some with a distractor: arithmetic gives the same pictures on every machine.
PICTURES = {32: "bf82aed85e54984d", 64: "c4f73dec42a484c4"}


def red_mass(frame: np.ndarray) -> tuple[float, tuple[float, float]]:
    """How many pixels are covered by something red on white, and the centre of it in room units."""
    covered = (255 - frame[:, :, 1].astype(float)) / 255 * (frame[:, :, 0] == 255)
    across = np.arange(len(frame)) + 0.5
    mass = covered.sum()
    centre = (covered.sum(0) @ across / mass / len(frame), covered.sum(1) @ across / mass / len(frame))
    return mass, centre


@pytest.mark.parametrize("size", PICTURES)
def test_pictures_are_the_same_on_every_machine(size):
    digest = hashlib.sha256()
    for k in range(50):
        place, fly = (0.1 + 0.016 * k, 0.9 - 0.0153 * k), (0.3 + 0.005 * k, 0.7)
        digest.update(draw(size, 0.15 + 0.014 * k, place, Palette(), fly).tobytes())
    assert digest.hexdigest()[:16] == PICTURES[size]


@pytest.mark.parametrize("size", [16, 32, 50, 64, 224])
def test_the_disc_is_where_the_state_says_to_a_fraction_of_a_pixel(size):
    for place in ((0.3, 0.4), (0.2512, 0.7391), (0.8, 0.21)):
        mass, centre = red_mass(draw(size, 0.5, place, Palette()))
        assert centre == pytest.approx(place, abs=0.06 / size)
        assert mass == pytest.approx(np.pi * (RADIUS * size) ** 2, rel=0.08 if size > 60 else 0.6)


def test_a_tenth_of_a_pixel_changes_the_picture():
    one, two = (draw(32, 0.5, (0.3 + shift / 32, 0.4), Palette()) for shift in (0.0, 0.1))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("size", [32, 64])
def test_walls_and_door_stand_where_they_block(size):
    frame = draw(size, 0.5, (0.25, 0.25), Palette())
    middle, edge = size // 2, size // 16
    assert (frame[:edge] == 0).all() and (frame[-edge:] == 0).all()
    assert (frame[:, :edge] == 0).all() and (frame[:, -edge:] == 0).all()
    wall = frame[:, middle, 1]
    assert (wall[middle - size // 16 : middle + size // 16] == 255).all()  # the door
    assert (wall[edge : middle - size // 16] < 128).all() and (wall[middle + size // 16 :] < 128).all()
    assert (frame[edge, size // 4] == 255).all()


def test_every_colour_is_drawn_in_its_place():
    palette = Palette(background=(1, 2, 3), wall=(4, 5, 6), agent=(7, 8, 9), distractor=(10, 11, 12))
    frame = draw(64, 0.5, (0.25, 0.25), palette, (0.75, 0.75))
    assert tuple(frame[32, 20]) == (1, 2, 3) and tuple(frame[0, 0]) == (4, 5, 6)
    assert tuple(frame[16, 16]) == (7, 8, 9) and tuple(frame[48, 48]) == (10, 11, 12)


def test_a_picture_is_the_callers_own():
    draw(32, 0.5, (0.25, 0.25), Palette())[:] = 0
    assert draw(32, 0.5, (0.25, 0.25), Palette()).max() == 255


def test_colours_have_names_or_numbers():
    assert colour_named("agent", "blue") == (0, 0, 255)
    assert colour_named("agent", np.array([1, 2, 3])) == (1, 2, 3)
    assert len(set(COLOURS.values())) == len(COLOURS)


@pytest.mark.parametrize("value", ["mauve", (1, 2), (1, 2, 300), (-1, 0, 0), (0.5, 0, 0)])
def test_what_is_no_colour_is_refused(value):
    with pytest.raises(ValueError, match="agent must be one of white, black, .* got "):
        colour_named("agent", value)


@pytest.mark.timed
def test_two_thousand_pictures_a_second():
    places = iter(np.random.default_rng(0).uniform(0.1, 0.4, (100_000, 2)).tolist())
    seconds = min(timeit.repeat(lambda: draw(64, 0.5, next(places), Palette()), number=500, repeat=10))
    assert seconds < 500 / 2000
