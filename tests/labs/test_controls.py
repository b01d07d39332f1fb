"""A control takes what it offers, refuses the rest by name, and reads the same in the page."""

import dataclasses
import json
import math

import numpy as np
import pytest

from lewm_lite.labs.controls import Choice, Range, Reading, Toggle, as_data, settings

WEIGHT = Range("weight", "weight of SIGReg", 0, 1, 0.1, 0.001)
SHAPE = Choice("shape", "start shape", (("line", "a line"), ("ring", "a ring")), "ring", restarts=True)
DIM = Choice("dim", "dimensions", ((2, "2"), (3, "3")), 2)
FRESH = Toggle("fresh", "fresh directions", True)
CONTROLS = (WEIGHT, SHAPE, DIM, FRESH)


@pytest.mark.parametrize("value", [0, 1, 0.0, 0.1, 1.0, np.float64(0.5)], ids=repr)
def test_a_range_takes_every_number_from_its_low_to_its_high_end(value):
    assert WEIGHT.check(value) == value


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, math.nan, math.inf, -math.inf, True, "0.1", None, [0.1]], ids=repr)
def test_a_range_refuses_anything_else_with_its_name_and_ends(value):
    with pytest.raises(ValueError, match="weight must be a number from 0 to 1, got ") as error:
        WEIGHT.check(value)
    assert str(error.value).endswith(f"got {value!r}")


def test_a_choice_takes_its_options():
    assert [SHAPE.check(value) for value in ("line", "ring")] == ["line", "ring"]
    assert DIM.check(3) == 3


def test_a_choice_gives_back_its_own_option_for_an_equal_value():
    # A number becomes part of a bank's name: noise_2, never noise_2.0.
    assert repr(DIM.check(2.0)) == "2"
    assert repr(DIM.check(np.int64(3))) == "3"


@pytest.mark.parametrize("value", ["square", "a line", 0, None, ["line"]], ids=repr)
def test_a_choice_refuses_anything_else_with_its_name_and_options(value):
    with pytest.raises(ValueError, match=r"shape must be one of \['line', 'ring'\], got ") as error:
        SHAPE.check(value)
    assert str(error.value).endswith(f"got {value!r}")


def test_a_toggle_takes_truth_values_only():
    assert FRESH.check(True) is True
    assert FRESH.check(False) is False
    for value in (0, 1, "yes", None):
        with pytest.raises(ValueError, match=f"fresh must be True or False, got {value!r}"):
            FRESH.check(value)


def test_settings_fill_in_what_is_not_given():
    assert settings(CONTROLS, {}) == {"weight": 0.1, "shape": "ring", "dim": 2, "fresh": True}
    assert settings(CONTROLS, {"fresh": False, "dim": 3}) == {"weight": 0.1, "shape": "ring", "dim": 3, "fresh": False}


def test_settings_come_in_the_order_of_the_controls_however_they_are_given():
    assert list(settings(CONTROLS, {"fresh": False, "weight": 1})) == ["weight", "shape", "dim", "fresh"]


def test_settings_refuse_unknown_names_and_list_the_known_ones():
    with pytest.raises(ValueError, match="no control named colour, size: this lab has weight, shape, dim, fresh"):
        settings(CONTROLS, {"size": 1, "weight": 0.5, "colour": "red"})


def test_settings_refuse_a_value_out_of_range():
    with pytest.raises(ValueError, match="weight must be a number from 0 to 1, got 2"):
        settings(CONTROLS, {"weight": 2})


def test_a_wrong_default_is_met_too():
    with pytest.raises(ValueError, match="weight must be a number from 0 to 1, got 7"):
        settings((dataclasses.replace(WEIGHT, default=7),), {})


def test_a_reading_says_its_number_with_its_own_decimals():
    reading = Reading("std", "standard deviation", 3, "standard deviation {value}")
    assert reading.say(0.87514) == "standard deviation 0.875"
    assert reading.say(1) == "standard deviation 1.000"


@pytest.mark.parametrize("item", [*CONTROLS, Reading("std", "std", 2, "std {value}")], ids=lambda item: item.name)
def test_controls_and_readings_survive_the_way_to_the_page(item):
    data = json.loads(json.dumps(as_data(item)))
    if "options" in data:
        data["options"] = tuple(map(tuple, data["options"]))
    assert type(item)(**data) == item


def test_the_page_tells_the_controls_apart_by_their_kind():
    assert [as_data(control)["kind"] for control in CONTROLS] == ["range", "choice", "choice", "toggle"]
