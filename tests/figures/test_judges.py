"""The judged cloud is drawn at its moments, with its worst direction, and the verdicts are told by mark and word."""

import pytest
import torch
from matplotlib.colors import to_hex

from lewm_lite import seeded
from lewm_lite.figures.judges import judged_moments, verdicts
from lewm_lite.figures.theme import COLOURS
from lewm_lite.labs.lab import Frame, Phase, Scene

LEVELS = torch.tensor([0.05, 0.01, 3.0])


def frame_at(step, *, judge="nobody", variance=0.0, covariance=0.0, sigreg=1.0, worst=0):
    seen = torch.zeros(4)
    seen[worst] = 1
    held_out = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.6, 0.8]])
    points = torch.randn(50, 2, generator=seeded(0))
    return Frame(
        step,
        {"judge": judge},
        {"points": points, "held_out": held_out, "seen": seen, "levels": LEVELS},
        {"variance": variance, "covariance": covariance, "sigreg": sigreg},
    )


def scene(*lengths):
    return Scene("s", "words", {}, tuple(Phase(length) for length in lengths))


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_judge_is_content_up_to_its_level_and_not_above():
    (_, _, at), (_, _, above), (name, score, _) = verdicts(frame_at(0, variance=0.04, covariance=0.02, sigreg=2.5))
    assert (at, above) == (True, False)
    assert (name, score) == ("SIGReg", 2.5)


def test_the_start_and_the_end_of_each_phase_are_drawn_with_who_pushed_then():
    frames = [frame_at(step, judge="variance" if step < 16 else "sigreg") for step in (0, 8, 16, 24, 30)]
    picture = judged_moments(frames, scene(16, 14))
    titles = [axes.get_title() for axes in picture.figure.axes if axes.get_title()]
    assert titles == ["step 0\nvariance pushes", "step 8\nvariance pushes", "step 30\nSIGReg pushes"]


def test_a_run_of_one_phase_is_its_start_and_its_end():
    picture = judged_moments([frame_at(step) for step in (0, 8, 16)], scene(16))
    assert len(picture.figure.axes) == 2 * 3


@pytest.mark.parametrize(("worst", "slope"), [(1, 0.8 / 0.6), (3, -0.8 / 0.6)])
def test_the_worst_direction_is_drawn_through_the_cloud(worst, slope):
    picture = judged_moments([frame_at(0, worst=worst), frame_at(8, worst=worst)], scene(8))
    (line,) = picture.figure.axes[0].lines
    (x0, y0), (x1, y1) = line.get_xy1(), line.get_xy2()
    assert (x0, y0) == (0, 0) and y1 / x1 == pytest.approx(slope)


def test_verdicts_are_told_by_mark_word_and_colour():
    picture = judged_moments([frame_at(0, covariance=0.9, sigreg=123.4), frame_at(8)], scene(8))
    before, after = (axes for axes in picture.figure.axes if axes.texts)
    assert texts(before) == ["✓", "variance 0.000", "✗", "covariance 0.900", "✗", "SIGReg 123"]
    assert texts(after) == ["✓", "variance 0.000", "✓", "covariance 0.000", "✓", "SIGReg 1"]
    assert [to_hex(text.get_color()) for text in before.texts[:3:2]] == [COLOURS["healthy"], COLOURS["collapsed"]]


def test_the_words_say_at_each_moment_who_is_content():
    picture = judged_moments([frame_at(0, judge="vicreg", sigreg=10.82), frame_at(8, judge="sigreg")], scene(8))
    assert picture.alt == (
        "A cloud before three judges. "
        "At step 0, VICReg pushes: variance content at 0.000, covariance content at 0.000, SIGReg not content at 10.8. "
        "At step 8, SIGReg pushes: variance content at 0.000, covariance content at 0.000, SIGReg content at 1."
    )
