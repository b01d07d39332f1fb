"""The stories that the cloud flow lab is there to tell, told on the built page by keyboard, and how fast it does."""

import pytest

STILL = {"reduced_motion": "reduce"}
BUDGET_MS = 8  # a step of 512 points in 3-D along 64 directions
SHAPES = {
    # start shape: what its readings are at step 0 in two dimensions
    "point": lambda std, rank: std < 0.05,
    "line": lambda std, rank: std > 0.8 and rank < 1.05,
    "clumps": lambda std, rank: std > 0.8 and rank < 1.3,
    "ring": lambda std, rank: std > 0.8 and rank > 1.95,
    "low_rank": lambda std, rank: 0.3 < std < 0.8 and rank < 1.05,
}


def cloud_flow(open_lab, address="", **options):
    """The lab, opened with settings in its address."""
    full = "&".join(f"cloud_flow.{part}" for part in address.split("&") if part)
    return open_lab("cloud_flow", address=full, **options)


def test_lambda_off_the_cloud_collapses_and_lambda_back_it_spreads(open_lab):
    lab = cloud_flow(open_lab)
    assert (lab.value("num_samples"), lab.value("num_directions"), lab.value("pull")) == ("512", "64", True)
    lab.press("lambda", "Home")
    assert lab.value("lambda") == "0"
    lab.live()
    lab.wait("Number(data.std) < 0.05")
    assert "collapsed" in lab.root.locator("canvas").get_attribute("aria-label")
    lab.press("lambda", "PageUp")
    assert lab.value("lambda") == "0.1"
    lab.wait("Number(data.std) > 0.8 && Number(data.effectiveRank) > 1.9")
    lab.wait("!lab.querySelector('[role=status]').textContent.includes('standard deviation 0.0')")
    assert "spread out" in lab.root.locator("canvas").get_attribute("aria-label")


def test_a_larger_lambda_holds_the_cloud_wider_against_the_pull(open_lab):
    lab = cloud_flow(open_lab, "start=ring&num_samples=256")
    lab.live()
    lab.wait("step > 80")
    balanced = lab.reading("std")
    lab.press("lambda", "End")
    lab.wait(f"Number(data.std) > {balanced} + 0.03")
    scored = lab.reading("sigreg")
    lab.press("lambda", "Home", *["ArrowRight"] * 10)
    assert lab.value("lambda") == "0.01"
    lab.wait(f"Number(data.std) < {balanced} - 0.1 && Number(data.sigreg) > {scored}")


def test_one_fixed_direction_is_fooled_and_more_or_fresh_ones_are_not(open_lab):
    """The shadow that is judged turns into a bell, and the others stay two clumps, until other shadows are judged."""
    lab = cloud_flow(open_lab, "start=clumps&fresh=0&pull=0&lambda=1&num_directions=1")
    lab.live()
    lab.wait("Number(data.sigreg) < 1")
    assert lab.reading("held_out") > 20
    lab.wait("step > 100")
    assert lab.reading("sigreg") < 1 and lab.reading("held_out") > 20 and lab.reading("effective_rank") < 1.6

    lab.press("fresh", "Space")
    lab.wait("Number(data.heldOut) < 3")
    assert lab.reading("std") == pytest.approx(1, abs=0.2) and lab.reading("effective_rank") > 1.9

    lab.press("fresh", "Space")
    lab.click("reset")
    lab.wait("Number(data.heldOut) > 20 && Number(data.sigreg) < 1")
    lab.press("num_directions", "End")
    assert lab.value("num_directions") == "256"
    lab.wait("Number(data.heldOut) < 3 && Number(data.effectiveRank) > 1.9")


def test_every_start_shape_starts_as_it_is_called(open_lab):
    lab = cloud_flow(open_lab, **STILL).restart()
    pictures = set()
    for shape, holds in SHAPES.items():
        if lab.value("start") != shape:
            before = lab.picture()
            lab.steps(1)
            lab.control("start").select_option(shape)
            lab.wait("step === 0")
            assert lab.picture() != before
        readings = lab.readings()
        assert holds(readings["std"], readings["effective_rank"]), (shape, readings)
        pictures.add(lab.picture())
        lab.steps(2)
        assert lab.step == 2
    assert len(pictures) == len(SHAPES) == lab.control("start").locator("option").count()


def test_in_three_dimensions_it_spreads_in_three_and_can_be_turned(open_lab):
    lab = cloud_flow(open_lab, "start=low_rank&lambda=1&num_samples=128")
    lab.live()
    assert not lab.root.locator("[name=turn]").is_visible()
    lab.control("dim").select_option("3")
    lab.wait("Number(data.effectiveRank) < 2.2")
    lab.wait("Number(data.effectiveRank) > 2.8 && Number(data.std) > 0.85")
    lab.click("play")
    lab.wait("data.playing === 'false'")
    lab.rest(10)
    before = lab.picture()
    knob = lab.root.locator("[name=turn]")
    assert knob.is_visible()
    knob.focus()
    lab.page.keyboard.press("PageUp")
    assert lab.picture() != before
    turned = lab.picture()
    box = lab.root.locator("canvas").bounding_box()
    lab.page.mouse.move(box["x"] + 100, box["y"] + 150)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 160, box["y"] + 150, steps=3)
    lab.page.mouse.up()
    assert lab.picture() != turned


@pytest.mark.timed
def test_a_step_is_quick_and_the_page_answers_meanwhile(open_lab, slow, capsys):
    lab = cloud_flow(open_lab, "dim=3&num_samples=512&num_directions=64")
    lab.live()
    windows, gaps, answers = [], [], []
    for _ in range(5):  # the machine may be busy with something else: the best of five counts
        lab.root.scroll_into_view_if_needed()  # the clicks at the top of the page have moved it out of sight
        lab.wait(f"step >= {lab.step + 61}")  # the page's own median goes back 60 steps
        windows.append(float(lab.data["stepMs"]))
        gaps.append(longest_gap(lab))
        answers.append(slowest_answer(lab))
        if windows[-1] <= BUDGET_MS * slow and gaps[-1] < 200 * slow and answers[-1] < 100 * slow:
            break
    with capsys.disabled():
        print(f"\ncloud flow, N=512, D=3, K=64: {min(windows):.1f} ms a step (all windows: {windows}); ", end="")
        print(f"longest gap between pictures {min(gaps):.0f} ms, slowest answer to a click {min(answers):.0f} ms")
    assert min(windows) <= BUDGET_MS * slow
    assert min(gaps) < 200 * slow
    assert min(answers) < 100 * slow


def longest_gap(lab):
    """The longest time between two pictures in two seconds of running, in milliseconds."""
    return lab.root.evaluate(
        """async () => {
            const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
            let longest = 0;
            let last = await next();
            for (const end = last + 2000; last < end; ) {
                const now = await next();
                longest = Math.max(longest, now - last);
                last = now;
            }
            return longest;
        }"""
    )


def slowest_answer(lab):
    """The longest time from a click to its handler, of five clicks while the lab runs, in milliseconds."""
    assert lab.data["playing"] == "true"
    lab.page.evaluate(
        """() => {
            window.answers = [];
            const heard = (event) => window.answers.push(performance.now() - event.timeStamp);
            document.querySelector("article h1").addEventListener("click", heard);
        }"""
    )
    for _ in range(5):
        lab.page.locator("article h1").click(position={"x": 5, "y": 5})
    answers = lab.page.evaluate("window.answers")
    assert len(answers) >= 5
    return max(answers)
