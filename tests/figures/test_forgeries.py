"""Pictures of forgeries show their lines and say in words what is seen."""

import numpy as np
import pytest
import torch

from lewm_lite.figures.forgeries import by_angle_picture, forged_moments, looked_along, unseen_picture
from lewm_lite.labs.lab import Frame, Phase, Scene

SCENE = Scene("tried", "", {}, (Phase(4), Phase(4, {"fresh": True})))


def frame(step, *, dim=2, judge="directions", fresh=False, content=1.0):
    turn = torch.arange(8) * torch.pi / 8
    eyes = torch.stack([turn.cos(), turn.sin(), 0 * turn], dim=1)[:, :dim]
    tensors = {
        "points": torch.randn(20, dim),
        "looks": torch.eye(dim),
        "eyes": eyes,
        "seen": torch.full((8,), 7.0),
        "level": torch.tensor([3.2]),
    }
    readings = {"judged": 2.0, "content": content, "unmasked": 7.0, "record": 7.0}
    return Frame(step, {"judge": judge, "fresh": fresh}, tensors, readings)


@pytest.mark.parametrize("dim", [2, 3])
def test_moments_are_the_start_and_the_end_of_each_phase_and_the_words_tell_the_verdicts(dim):
    frames = [frame(step, dim=dim, content=float(step < 4)) for step in range(9)]
    picture = forged_moments(frames, SCENE)
    assert "At step 0 the judge is content at 2.0, and fresh eyes see 7.0." in picture.alt
    assert "At step 3 the judge is content" in picture.alt and "At step 8 the judge objects" in picture.alt
    assert len(picture.figure.axes) == 6


@pytest.mark.parametrize(
    ("judge", "fresh", "count"), [("directions", False, 2), ("moments_4", False, 0), ("variance", True, 2)]
)
def test_a_judge_of_moments_looks_along_nothing_until_it_is_unmasked(judge, fresh, count):
    assert len(looked_along(frame(0, judge=judge, fresh=fresh))) == count


def test_by_angle_names_the_highest_of_each_cloud():
    picture = by_angle_picture([0, 90], {"2 lines": [1.0, 40.0], "3 lines": [20.0, 2.0]}, usual=2.8)
    assert "highest 40 for 2 lines, 20 for 3 lines" in picture.alt


def test_what_is_unseen_is_told_at_the_most_directions():
    seen = {
        f"{start}.d{dim}.fixed.k{count}": {"unknown": [dim / count, dim / count]}
        for start in ("rough", "smooth")
        for dim in (4, 16, 64)
        for count in (1, 4)
    }
    picture = unseen_picture(seen, (1, 4))
    assert "At K = 4: rough, D = 4 1; rough, D = 16 4; rough, D = 64 16" in picture.alt
    drawn = [line.get_ydata() for line in picture.figure.axes[0].lines]
    np.testing.assert_allclose(drawn[2], [64, 16])
