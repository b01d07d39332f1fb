"""The λ bisection on the built page: a run begins at a press, ends by itself, is set down, and narrows the bracket."""

from __future__ import annotations

import pytest

from lewm_lite.labs.lambda_bisection import SEARCHES
from lewm_lite.labs.lambda_runs import CONFIG, RUNS, STEPS

STILL = {"reduced_motion": "reduce"}
STEPS_A_SECOND = 20
A_RUN = 120  # seconds that it may take here, where other things run as well


def lab_with(open_lab, address="", **options):
    full = "&".join(f"lambda_bisection.{part}" for part in address.split("&") if part)
    return open_lab("lambda_bisection", address=full, **options)


def words(lab):
    return lab.root.locator("canvas").get_attribute("aria-label")


def test_a_press_trains_one_run_which_is_set_down_and_then_the_lab_rests(open_lab):
    lab = lab_with(open_lab, "lambda=0.03162", **STILL).live().restart()
    assert lab.reading("runs_left") == RUNS
    lab.click("run")
    lab.wait("data.playing === 'true'")
    lab.wait("data.playing === 'false'", seconds=A_RUN)
    assert lab.step == STEPS and lab.reading("runs_left") == RUNS - 1
    assert "1 of 8 runs set down: λ 0.0316" in words(lab) and "accepted" in words(lab)
    assert lab.reading("probe_r2") > 0.8
    assert lab.reading("bracket_low") == pytest.approx(CONFIG.low)
    assert lab.reading("bracket_high") == pytest.approx(0.03162, rel=1e-3)
    assert lab.rest(20) == STEPS, "it waits for the reader"
    lab.click("run")
    lab.wait(f"step > {STEPS} + 2")
    assert lab.reading("runs_left") == RUNS - 1


def test_a_lambda_moved_in_a_run_begins_it_anew(open_lab):
    lab = lab_with(open_lab, "lambda=0.1", **STILL).live().restart()
    lab.steps(5)
    assert "step 5." in words(lab)
    lab.press("lambda", "ArrowRight")
    assert lab.value("lambda") == "0.1047"
    lab.click("step")
    lab.wait("step === 6")
    assert "λ 0.105, step 1." in words(lab)
    assert lab.reading("runs_left") == RUNS


def test_the_slider_goes_over_decades_and_says_lambda_itself(open_lab):
    lab = lab_with(open_lab, **STILL)
    slider = lab.control("lambda")
    slider.focus()
    for key, value in (("Home", "0.0001"), ("ArrowRight", "0.0001047"), ("End", "10")):
        lab.page.keyboard.press(key)
        assert lab.value("lambda") == value == slider.get_attribute("aria-valuetext")
        assert lab.root.locator(f"output[for='{slider.get_attribute('id')}']").inner_text() == value
    lab.page.wait_for_function("location.hash.includes('lambda_bisection.lambda=10')")


def test_another_question_judges_the_recorded_runs_anew_at_once(open_lab):
    lab = lab_with(open_lab, **STILL)
    before = lab.reading("bracket_high")
    lab.control("question").select_option("largest")
    lab.live()
    lab.wait(f"Number(data.bracketHigh) !== {before}")
    assert lab.reading("runs_left") == 0 and "Looking for largest λ" in words(lab)


def test_machine_and_curve_are_laid_over_on_request(open_lab):
    lab = lab_with(open_lab, "lambda=0.1", **STILL).live().restart()
    plain = lab.picture()
    assert "machine" not in words(lab)
    lab.press("overlay", "Space")
    lab.wait("lab.querySelector('canvas').getAttribute('aria-label').includes('machine')")
    assert lab.picture() != plain


def test_the_recording_shows_a_whole_search(open_lab):
    lab = lab_with(open_lab, **STILL)
    assert lab.reading("runs_left") == 0
    assert words(lab).count("accepted") + words(lab).count("rejected") == len(SEARCHES["smallest"])
    assert lab.reading("bracket_high") / lab.reading("bracket_low") < 1.3


@pytest.mark.timed
def test_it_takes_twenty_steps_a_second(open_lab, slow):
    lab = lab_with(open_lab, "lambda=0.1")
    lab.live()
    lab.click("run")
    best = 0
    for _ in range(4):  # what else the machine does can only slow it
        took = lab.root.evaluate(
            """async (lab) => {
                const [from, since] = [Number(lab.dataset.step), performance.now()];
                await new Promise((resolve) => setTimeout(resolve, 2000));
                return (Number(lab.dataset.step) - from) / ((performance.now() - since) / 1000);
            }"""
        )
        best = max(best, took)
    assert best >= STEPS_A_SECOND / slow
