"""Turning, squeezing, parting and brushing do what they say to a cloud, and leave it alone at rest."""

import math

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from lewm_lite import seeded
from lewm_lite.checks import ShapeError
from lewm_lite.embeddings.diagnostics import covariance
from lewm_lite.embeddings.reshape import brush, part, squeeze, turn

MANY = 20_000


def gaussian(count=MANY, *, seed=0):
    return torch.randn(count, 2, generator=seeded(seed))


def coins(count=MANY, *, seed=9):
    return torch.randn(count, 1, generator=seeded(seed))


def number(value):
    return torch.tensor(float(value))


RESHAPES = {
    "turn": lambda points: turn(points, number(30)),
    "squeeze": lambda points: squeeze(points, number(0.4)),
    "part": lambda points: part(points, points[:, :1] - points[:, 1:], number(0.6)),
    "brush": lambda points: brush(points, torch.tensor([0.2, -0.1, 0.3, 0.4])),
}
AT_REST = {
    "turn": lambda points: turn(points, number(0)),
    "squeeze": lambda points: squeeze(points, number(1)),
    "part": lambda points: part(points, coins(len(points)), number(0)),
    "brush": lambda points: brush(points, torch.tensor([0.2, -0.1, 0, 0])),
}


# What all share


@pytest.mark.parametrize("name", AT_REST)
def test_at_rest_every_point_stays_exactly_where_it_is(name):
    assert torch.equal(AT_REST[name](gaussian(100)), gaussian(100))


@pytest.mark.parametrize("name", RESHAPES)
def test_a_reshaping_traced_at_one_size_is_right_at_another(name):
    traced = make_fx(RESHAPES[name], tracing_mode="symbolic")(gaussian(11))
    assert torch.equal(traced(gaussian(40, seed=1)), RESHAPES[name](gaussian(40, seed=1)))


@pytest.mark.parametrize("name", RESHAPES)
@pytest.mark.parametrize("shape", [(5, 3), (5, 1), (2,), (2, 5, 2)], ids=str)
def test_what_is_no_flat_cloud_is_refused(name, shape):
    with pytest.raises(ShapeError, match=r"points must be \(samples, 2\), a flat cloud, got shape"):
        {
            "turn": lambda points: turn(points, number(30)),
            "squeeze": lambda points: squeeze(points, number(0.4)),
            "part": lambda points: part(points, coins(5), number(0.6)),
            "brush": lambda points: brush(points, torch.zeros(4)),
        }[name](torch.ones(shape))


# Each


def test_a_turn_goes_counter_clockwise_by_so_many_degrees():
    axes = torch.eye(2)
    torch.testing.assert_close(turn(axes, number(90)), torch.tensor([[0.0, 1.0], [-1.0, 0.0]]), atol=1e-6, rtol=0)
    half = math.sqrt(0.5)
    torch.testing.assert_close(turn(axes, number(45)), torch.tensor([[half, half], [-half, half]]))
    torch.testing.assert_close(turn(axes, number(180)), -axes, atol=1e-6, rtol=0)


def test_a_squeeze_keeps_the_total_variance_and_hides_in_no_coordinate_once_turned():
    thin = squeeze(gaussian(), number(0.1))
    assert covariance(thin).diagonal().tolist() == pytest.approx([2 - 0.01, 0.01], rel=0.05)
    oblique = turn(thin, number(45))
    assert covariance(oblique).diagonal().tolist() == pytest.approx([1, 1], abs=0.03)
    assert covariance(oblique)[0, 1].item() == pytest.approx(0.99, abs=0.03)


@pytest.mark.parametrize("gap", [0.3, 0.8, 0.98, 1.0])
def test_parting_by_a_coin_leaves_the_covariance_and_opens_a_gap(gap):
    parted = part(gaussian(), coins(), number(gap))
    assert (covariance(parted) - torch.eye(2)).abs().max() < 0.04
    assert parted[coins()[:, 0] >= 0, 0].mean().item() == pytest.approx(gap, abs=0.03)
    assert parted[coins()[:, 0] < 0, 0].mean().item() == pytest.approx(-gap, abs=0.03)
    assert torch.equal(parted[:, 1], gaussian()[:, 1])


def test_a_brush_takes_what_is_under_it_and_leaves_what_is_far():
    points = torch.tensor([[1.0, 1.0], [1.5, 1.0], [1.0, 2.0], [4.0, 1.0]])
    moved = brush(points, torch.tensor([1.0, 1.0, 0.2, -0.4])) - points
    shares = torch.exp(torch.tensor([0, -0.5, -2, -18]))  # at 0, 1, 2 and 6 times the radius
    torch.testing.assert_close(moved, shares[:, None] * torch.tensor([0.2, -0.4]), atol=1e-6, rtol=0)


def test_a_wider_brush_takes_more():
    points, hand = gaussian(200), torch.tensor([0.0, 0.0, 1.0, 0.0])
    narrow, wide = ((brush(points, hand, radius=radius) - points)[:, 0] for radius in (0.2, 1.0))
    assert (wide >= narrow).all() and wide.sum() > 5 * narrow.sum()


def test_a_hand_is_four_numbers_and_a_radius_more_than_nothing():
    with pytest.raises(ShapeError, match=r"hand must be \(4,\): x, y, dx, dy, got shape \(2,\)"):
        brush(gaussian(5), torch.zeros(2))
    with pytest.raises(ValueError, match="radius must be a finite number above 0, got 0"):
        brush(gaussian(5), torch.zeros(4), radius=0)
