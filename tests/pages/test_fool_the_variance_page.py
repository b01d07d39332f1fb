"""The cloud is shaped by mouse, finger and keyboard, the hand's work is torch's, and the verdicts stand in words."""

import pytest
import torch

from lewm_lite.labs import FoolTheVariance
from lewm_lite.labs.feeds import feed
from lewm_lite.labs.lab import Phase

STILL = {"reduced_motion": "reduce"}
REACH = 3.2  # what the view's axes show
BUDGET_MS = 8  # a step of 512 points along 64 directions
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def fooled(open_lab, address="", **options):
    """The lab, opened with settings in its address."""
    full = "&".join(f"fool_the_variance.{part}" for part in address.split("&") if part)
    return open_lab("fool_the_variance", address=full, **options)


def verdicts(lab):
    """What the three judges say, as the page shows it."""
    return lab.root.locator(".lewm-judge b").all_inner_texts()


def pushing(lab):
    """Beside which judges it says that they push."""
    return [bool(text) for text in lab.root.locator(".lewm-judge > span").all_inner_texts()]


def on_page(lab, x, y):
    """Where a place of the cloud is in the window."""
    canvas = lab.root.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    scale = box["width"] / 2 / REACH
    return box["x"] + box["width"] / 2 + x * scale, box["y"] + box["height"] / 2 - y * scale


def drag(lab, start, *places):
    """Press at a place of the cloud, go to others in turn, one picture for each, and release."""
    mouse = lab.page.mouse
    mouse.move(*on_page(lab, *start))
    mouse.down()
    for place in places:
        mouse.move(*on_page(lab, *place))
        lab.rest(2)
    mouse.up()


def readings_after(hands, **given):
    """What torch reads after a step for each move of a hand, and how far points within 0.3 of the first one went."""
    lab = FoolTheVariance(**given)
    graph, banks = lab.graphs()["step"], lab.banks()
    first = points = lab.run(Phase(0))[0].tensors["points"]
    for at, hand in enumerate(hands):
        points = graph.function(**feed(graph, lab.controls, lab.values, banks, {"points": points}, at, hand))["points"]
    out = graph.function(**feed(graph, lab.controls, lab.values, banks, {"points": points}, len(hands)))
    far = (first - torch.tensor(hands[0][:2])).norm(dim=1)
    gone = (points - first).norm(dim=1)
    return {reading.name: float(out[reading.name]) for reading in lab.readings}, gone[far < 0.3].min(), gone[far > 3]


def test_a_drag_moves_the_points_under_it_as_torch_does_while_the_lab_stands_still(open_lab):
    given = {"start": "isotropic", "judge": "sigreg", "num_samples": 256, "seed": 2}
    lab = fooled(open_lab, "&".join(f"{name}={value}" for name, value in given.items()), **STILL).restart()
    untouched = lab.readings()
    drag(lab, (1.0, 0.5), (1.4, 0.5))
    lab.wait("step === 1")
    assert lab.rest(20) == 1, "one move, one step, and nothing else moves"
    expected, near, far = readings_after([(1.0, 0.5, 0.4, 0.0)], **given)
    assert near > 0.3 and far.max() < 1e-3
    assert lab.readings() == pytest.approx(expected, rel=0.02)  # the pointer goes by whole pixels
    assert lab.reading("sigreg") > 1.05 * untouched["sigreg"]
    before = lab.picture()
    drag(lab, (-1.0, -1.0), (-1.0, -0.6), (-1.0, -0.2))
    lab.wait("step > 1")
    lab.rest(5)
    assert lab.picture() != before and lab.data.get("playing") != "true"


def test_the_first_drag_brings_the_recording_to_life_and_moves_its_points(open_lab):
    lab = fooled(open_lab, **STILL)
    recorded, untouched = lab.step, lab.readings()
    drag(lab, (0.5, 0.0), (1.5, 0.0), (2.5, 0.0))
    lab.live()
    lab.wait(f"step > {recorded}")
    assert lab.reading("sigreg") > 2 * untouched["sigreg"]


def test_a_drag_while_the_lab_runs_is_taken_into_its_steps(open_lab):
    lab = fooled(open_lab, "start=isotropic&judge=nobody&num_samples=256")
    lab.live()
    lab.wait("step > 5")
    untouched = lab.reading("sigreg")
    assert lab.data["playing"] == "true"
    drag(lab, (0.0, 0.0), (1.0, 1.0), (2.0, 2.0))
    lab.wait(f"Number(data.sigreg) > 2 * {untouched}")
    lab.wait(f"step > {lab.step + 5}")
    assert lab.data["playing"] == "true"


def test_moving_over_the_cloud_without_a_press_shows_the_brush_and_moves_nothing(open_lab):
    lab = fooled(open_lab, **STILL)
    recorded, before = lab.step, lab.picture()
    lab.page.mouse.move(*on_page(lab, 0.0, 1.0))
    lab.page.mouse.move(*on_page(lab, 1.0, 1.0))
    lab.rest(3)
    assert lab.picture() != before
    assert lab.engine == "recorded" and lab.step == recorded


def test_by_keyboard_alone_one_judge_after_the_other_is_fooled(open_lab):
    lab = fooled(open_lab, "start=isotropic&judge=nobody", **STILL).restart()
    assert verdicts(lab) == ["✓ variance: content", "✓ covariance: content", "✓ SIGReg: content"]
    lab.press("squeeze", "Home")
    lab.wait("Number(data.sigreg) > 20 && Number(data.variance) > 0.3")
    assert verdicts(lab) == ["✗ variance: not content", "✓ covariance: content", "✗ SIGReg: not content"]
    lab.press("turn", *["PageUp"] * 2, *["ArrowRight"] * 9)
    assert lab.value("turn") == "45"
    lab.wait("Number(data.covariance) > 0.9")
    assert verdicts(lab) == ["✓ variance: content", "✗ covariance: not content", "✗ SIGReg: not content"]
    lab.press("turn", "Home")
    lab.press("squeeze", "End")
    lab.press("gap", "End")
    lab.wait("Number(data.sigreg) > 8 && Number(data.covariance) < 0.01 && Number(data.variance) < 0.03")
    assert verdicts(lab) == ["✓ variance: content", "✓ covariance: content", "✗ SIGReg: not content"]


def test_vicreg_leaves_white_clumps_alone_and_sigreg_does_not(open_lab):
    lab = fooled(open_lab, "judge=vicreg&num_samples=256").restart()
    lab.wait("step > 60")
    assert pushing(lab) == [True, True, False]
    assert verdicts(lab) == ["✓ variance: content", "✓ covariance: content", "✗ SIGReg: not content"]
    lab.control("judge").select_option("sigreg")
    # The spread hovers about what variance asks for: one look finds them all content together.
    lab.wait("[...lab.querySelectorAll('.lewm-judge b')].every((said) => said.innerText.startsWith('✓'))")
    assert pushing(lab) == [False, False, True]
    lab.wait("lab.querySelector('canvas').ariaLabel.includes('SIGReg content')")


def test_a_recording_says_who_pushes_at_the_moment_that_it_shows_and_a_live_lab_who_pushes_now(open_lab):
    lab = fooled(open_lab, **STILL)
    assert lab.data["scene"] == "white_clumps" and lab.value("judge") == "vicreg"
    assert pushing(lab) == [False, False, True], "at the end of the recording SIGReg pushes"
    lab.steps(1)
    assert pushing(lab) == [True, True, False]


def test_a_finger_on_the_cloud_draws_and_beside_it_scrolls_the_page(open_lab):
    lab = fooled(open_lab, "start=isotropic&judge=nobody&num_samples=256", **PHONE, **STILL).restart()
    place = on_page(lab, 0.5, -0.5)
    before = lab.page.evaluate("scrollY")
    assert lab.swipe(*place, 80) == before
    lab.wait("step > 0")
    drawn = lab.step
    row = lab.root.locator(".lewm-judge").nth(1).bounding_box()
    assert lab.swipe(row["x"] + 100, row["y"] + 10, 80) > before + 30
    assert lab.step == drawn


def test_an_engine_that_is_lost_is_not_asked_again_at_every_move(open_lab, open_page):
    lab = fooled(open_lab, expected=[r"failed: .*\.onnx ", "console error: .*Failed to load resource"], **STILL)
    recorded = lab.step
    lab.page.route("**/*.onnx", lambda route: route.abort())
    drag(lab, (0.0, 0.0), (0.2, 0.0))
    lab.wait("data.engine === 'recorded' && !['starting', 'not touched yet'].includes(data.reason)")
    asked = len(open_page.requests)
    drag(lab, (0.0, 0.0), *((0.1 * part, 0.0) for part in range(1, 8)))
    assert lab.rest(30) == recorded
    assert len(open_page.requests) == asked
    lab.page.unroute("**/*.onnx")
    lab.restart()
    drag(lab, (1.0, 0.5), (1.4, 0.5))
    lab.wait("step === 1")


def test_on_a_phone_the_judges_stand_under_the_cloud_and_beside_it_on_a_wide_page(open_lab):
    for options, beside in (({}, True), (PHONE, False)):
        lab = fooled(open_lab, **options, **STILL)
        cloud, judge = (lab.root.locator(part).first.bounding_box() for part in ("canvas", ".lewm-judge"))
        assert abs(cloud["width"] - cloud["height"]) <= 1
        assert (judge["x"] >= cloud["x"] + cloud["width"]) == beside
        assert (judge["y"] >= cloud["y"] + cloud["height"]) != beside


@pytest.mark.timed
def test_a_step_is_quick(open_lab, slow, capsys):
    lab = fooled(open_lab, "num_samples=512&num_directions=64&judge=sigreg")
    lab.live()
    windows = []
    for _ in range(5):  # the machine may be busy with something else: the best of five counts
        lab.wait(f"step >= {lab.step + 61}")
        windows.append(float(lab.data["stepMs"]))
        if windows[-1] <= BUDGET_MS * slow:
            break
    with capsys.disabled():
        print(f"\nfool the variance, N=512, K=64: {min(windows):.1f} ms a step (all windows: {windows})")
    assert min(windows) <= BUDGET_MS * slow
