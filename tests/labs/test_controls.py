"""A control takes what it offers, refuses the rest by name, and reads the same in the page."""

import dataclasses
import json
import math

import numpy as np
import pytest

from lewm_lite.labs.controls import Button, Choice, LogRange, Range, Reading, Toggle, as_data, settings

WEIGHT = Range("weight", "weight of SIGReg", 0, 1, 0.1, 0.001)
SHAPE = Choice("shape", "start shape", (("line", "a line"), ("ring", "a ring")), "ring", restarts=True)
DIM = Choice("dim", "dimensions", ((2, "2"), (3, "3")), 2)
FRESH = Toggle("fresh", "fresh directions", True)
CONTROLS = (WEIGHT, SHAPE, DIM, FRESH)
DECADES = LogRange("decades", "λ over decades", 1e-4, 10, 0.1, 0.02)
RUN = Button("run", "Run")


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


@pytest.mark.parametrize("value", [1e-4, 10, 0.0003, 0.1, np.float64(0.5)], ids=repr)
def test_a_range_over_decades_takes_every_number_between_its_ends(value):
    assert DECADES.check(value) == value and type(DECADES.check(value)) is float


@pytest.mark.parametrize("value", [0, 9.9e-5, 10.001, math.nan, -1, True, "0.1", None], ids=repr)
def test_a_range_over_decades_refuses_anything_else(value):
    with pytest.raises(ValueError, match="decades must be a number from 0.0001 to 10, got "):
        DECADES.check(value)


def test_a_slider_over_decades_stands_at_the_logarithm_and_moves_by_a_factor():
    assert [DECADES.place(value) for value in (1e-4, 0.1, 10)] == pytest.approx([-4, -1, 1])
    values = [1e-4]
    while DECADES.next_to(values[-1]) > values[-1]:
        values.append(DECADES.next_to(values[-1]))
    assert len(values) == 251 and values[-1] == 10 and values[1] == 0.0001047
    assert all(above / below == pytest.approx(10**0.02, rel=1e-3) for below, above in zip(values, values[1:]))
    assert [DECADES.place(value) for value in values] == pytest.approx(np.arange(-4, 1.01, 0.02), abs=1e-3)
    assert DECADES.next_to(10) == 1e-4


def test_a_plain_slider_stands_at_its_value_and_starts_over_after_its_end():
    assert WEIGHT.place(0.3) == 0.3
    assert [WEIGHT.next_to(value) for value in (0, 0.1, 1)] == [0.001, 0.101, 0]


def test_a_button_counts_its_presses():
    assert [RUN.check(value) for value in (0, 7, np.int64(2))] == [0, 7, 2]
    for value in (-1, 1.5, True, "1", None):
        with pytest.raises(
            ValueError, match=f"run must be how often it was pressed, an integer from 0 on, got {value!r}"
        ):
            RUN.check(value)


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


@pytest.mark.parametrize(
    "item", [*CONTROLS, DECADES, RUN, Reading("std", "std", 2, "std {value}")], ids=lambda item: item.name
)
def test_controls_and_readings_survive_the_way_to_the_page(item):
    data = json.loads(json.dumps(as_data(item)))
    if "options" in data:
        data["options"] = tuple(map(tuple, data["options"]))
    assert type(item)(**data) == item


def test_the_page_tells_the_controls_apart_by_their_kind():
    assert [as_data(control)["kind"] for control in CONTROLS] == ["range", "choice", "choice", "toggle"]
    assert (as_data(DECADES)["kind"], as_data(RUN)["kind"]) == ("log_range", "button")
