"""Every shape is what its name says, measured on twenty thousand points, and stays a plain function of its noise."""

import math

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from lewm_lite import effective_rank, feature_std, seeded
from lewm_lite.checks import ShapeError
from lewm_lite.embeddings.clouds import SHAPES, cloud_noise

NUM_SAMPLES = 20_000
# Standard deviation of the coordinates that live, from each shape's definition, and how far a sample may be from it.
STD_WHERE_ALIVE = {
    "isotropic": (1.0, 0.03),
    "point": (0.01, 3e-4),
    "line": (math.hypot(1, 0.02), 0.03),
    "axis_line": (math.hypot(1, 0.02), 0.03),
    "clumps": (math.hypot(0.98, 0.2), 0.03),
    "white_clumps": (1.0, 0.03),
    "ring": (1.0, 0.06),
    "low_rank": (1.0, 0.03),
    "heavy_tailed": (1.0, 0.2),  # its fourth moment is 164: a sample's variance wanders
}


def noise(dim, *, num_samples=NUM_SAMPLES, seed=0):
    return cloud_noise(num_samples, dim, generator=seeded(seed))


def cloud(name, dim):
    return SHAPES[name](noise(dim))


def kurtosis(values):
    centred = values - values.mean(0)
    return (centred**4).mean(0) / (centred**2).mean(0) ** 2


# What all shapes share


@pytest.mark.parametrize("dim", [2, 3, 8])
@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_one_point_per_row_of_noise_and_one_column_less(name, dim):
    made = cloud(name, dim)
    assert made.shape == (NUM_SAMPLES, dim)
    assert made.dtype == torch.float32
    assert made.isfinite().all()


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "ring"])
def test_every_shape_but_the_ring_can_be_one_dimensional(name):
    assert cloud(name, 1).shape == (NUM_SAMPLES, 1)


@pytest.mark.parametrize("name", SHAPES)
def test_leading_axes_are_clouds_of_their_own(name):
    batch = torch.stack([noise(3, num_samples=50, seed=seed) for seed in (0, 1)])
    assert torch.equal(SHAPES[name](batch), torch.stack([SHAPES[name](one) for one in batch]))


@pytest.mark.parametrize("name", SHAPES)
def test_double_precision_stays_double(name):
    assert SHAPES[name](noise(3, num_samples=50).double()).dtype == torch.float64


@pytest.mark.parametrize("dim", [2, 5])
@pytest.mark.parametrize("name", SHAPES)
def test_living_coordinates_have_the_spread_the_docstring_says_about_0(name, dim):
    alive = {"ring": slice(0, 2), "low_rank": slice(0, dim - 1), "axis_line": slice(0, 1)}.get(name, slice(None))
    made = cloud(name, dim)[:, alive]
    expected, margin = STD_WHERE_ALIVE[name]
    assert (feature_std(made) - expected).abs().max() < margin
    assert made.mean(0).abs().max() < 5 * expected / math.sqrt(NUM_SAMPLES)


def test_variance_alone_tells_only_the_point_from_the_gaussian():
    spreads = {name: feature_std(cloud(name, 2)[:, :1]).item() for name in SHAPES}
    assert {name for name, std in spreads.items() if abs(std - 1) > 0.2} == {"point"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_cloud_can_be_differentiated_by_its_noise(name):
    small = cloud_noise(6, 3, generator=seeded(3)).double().requires_grad_()
    assert torch.autograd.gradcheck(SHAPES[name], small)
    (gradient,) = torch.autograd.grad(SHAPES[name](small)[:, 0].square().sum(), small)  # a coordinate moves with it
    assert gradient.isfinite().all()
    assert gradient[:, 0].abs().min() > 0


@pytest.mark.parametrize("name", SHAPES)
def test_a_cloud_traced_at_one_size_is_right_at_another(name):
    traced = make_fx(SHAPES[name], tracing_mode="symbolic")(noise(3, num_samples=11))
    other = noise(3, num_samples=40, seed=1)
    assert torch.equal(traced(other), SHAPES[name](other))


# Each shape


def test_the_isotropic_cloud_is_the_noise_itself():
    assert torch.equal(cloud("isotropic", 3), noise(3)[:, :3])


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_the_isotropic_cloud_uses_every_dimension(dim):
    assert effective_rank(cloud("isotropic", dim)) == pytest.approx(dim, rel=1e-3)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_a_point_with_its_little_noise_has_full_effective_rank(dim):
    assert effective_rank(cloud("point", dim)) == pytest.approx(dim, rel=1e-3)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_a_line_has_an_effective_rank_near_one(dim):
    assert 1 < effective_rank(cloud("line", dim)) < 1.01


def test_a_line_is_a_uniform_segment_along_the_diagonal_of_thickness_two_hundredths():
    made = cloud("line", 3).double()
    along = made.mean(1)
    expected = (2 * torch.arange(1, NUM_SAMPLES + 1, dtype=torch.float64) / NUM_SAMPLES - 1) * math.sqrt(3)
    assert (along.sort().values - expected).abs().max() < 0.06
    assert kurtosis(along).item() == pytest.approx(1.8, abs=0.03)
    assert (made - along[:, None]).std().item() == pytest.approx(0.02 * math.sqrt(2 / 3), rel=0.02)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_a_line_along_an_axis_is_a_uniform_segment_in_the_first_coordinate_and_thin_in_every_other(dim):
    made = cloud("axis_line", dim)
    assert kurtosis(made[:, 0].double()).item() == pytest.approx(1.8, abs=0.03)
    assert made[:, 0].abs().max() < math.sqrt(3) + 0.12
    assert torch.equal(made[:, 1:], 0.02 * noise(dim)[:, 1:dim])


def test_clumps_are_two_tight_balls_with_nothing_between():
    made = cloud("clumps", 2)
    along = made.mean(1)
    assert along.abs().min() > 0.3
    left = along < 0
    assert left.float().mean().item() == pytest.approx(0.5, abs=0.02)
    for side, sign in ((left, -1), (~left, 1)):
        assert made[side].mean(0).tolist() == pytest.approx([0.98 * sign] * 2, abs=0.02)
        assert made[side].std(0).tolist() == pytest.approx([0.2] * 2, rel=0.05)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_white_clumps_have_the_covariance_of_the_gaussian_and_two_separate_sides(dim):
    made = cloud("white_clumps", dim)
    covariance = torch.cov(made.T, correction=0).reshape(dim, dim)
    assert (covariance - torch.eye(dim)).abs().max() < 0.03
    along, across = made[:, 0], made[:, 1:]
    assert (along.abs() < 0.25).float().mean() < 1e-3
    assert along.abs().std().item() == pytest.approx(0.2, rel=0.05)
    assert torch.equal(across, noise(dim)[:, 1:dim])


def test_a_ring_has_radius_root_two_and_is_thin():
    radius = cloud("ring", 2).norm(dim=1)
    assert radius.mean().item() == pytest.approx(math.sqrt(2), abs=0.01)
    assert radius.std() < 0.06
    assert radius.min() > 1


def test_a_ring_goes_evenly_all_the_way_round():
    made = cloud("ring", 2)
    sector = torch.atan2(made[:, 1], made[:, 0]).add(math.pi).mul(8 / (2 * math.pi)).long().clamp(0, 7)
    assert torch.bincount(sector, minlength=8).float().div(NUM_SAMPLES).sub(1 / 8).abs().max() < 0.02


@pytest.mark.parametrize("dim", [2, 3])
def test_a_ring_is_equally_wide_in_every_direction(dim):
    made = cloud("ring", dim)
    covariance = torch.cov(made[:, :2].T, correction=0)
    assert covariance[0, 1].abs() < 0.03
    assert (covariance[0, 0] - covariance[1, 1]).abs() < 0.03


def test_a_ring_in_more_dimensions_lies_flat_in_the_first_two():
    assert feature_std(cloud("ring", 4))[2:].tolist() == pytest.approx([0.05, 0.05], rel=0.05)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_low_rank_has_a_dead_last_coordinate_and_a_gaussian_in_the_others(dim):
    made = cloud("low_rank", dim)
    assert feature_std(made)[-1].item() == pytest.approx(0.02, rel=0.05)
    assert torch.equal(made[:, :-1], noise(dim)[:, : dim - 1])
    assert effective_rank(made) == pytest.approx(dim - 1, rel=0.01)


def test_heavy_tails_have_far_outliers_and_gaussian_ones_do_not():
    assert kurtosis(cloud("heavy_tailed", 3)).min() > 20
    assert kurtosis(cloud("isotropic", 3)).max() < 3.3


def test_the_scale_of_a_heavy_tailed_point_is_one_for_all_its_coordinates():
    ratio = cloud("heavy_tailed", 4) / cloud("isotropic", 4)
    assert (ratio - ratio[:, :1]).abs().max() < 1e-4 * ratio.max()


# Noise


def test_noise_is_standard_normal_with_one_column_more_than_the_cloud():
    made = noise(4)
    assert made.shape == (NUM_SAMPLES, 5)
    assert (feature_std(made) - 1).abs().max() < 0.03
    assert torch.equal(made, noise(4))
    assert not torch.equal(made, noise(4, seed=1))


def test_noise_asks_for_counts_and_a_generator():
    with pytest.raises(ValueError, match="num_samples must be an integer of at least 1, got 0"):
        cloud_noise(0, 2, generator=seeded(0))
    with pytest.raises(ValueError, match="dim must be an integer of at least 1, got 1.5"):
        cloud_noise(5, 1.5, generator=seeded(0))
    with pytest.raises(TypeError, match="generator must be a torch.Generator, got NoneType"):
        cloud_noise(5, 2, generator=None)


@pytest.mark.parametrize("shape", [(), (5,), (5, 1), (5, 0)], ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_noise_without_a_column_to_spare_is_refused_with_its_shape(name, shape):
    with pytest.raises(
        ShapeError, match=r"noise must be \(samples, dim \+ 1\), one column more than the cloud"
    ) as error:
        SHAPES[name](torch.zeros(shape))
    assert str(error.value).endswith(f"got shape {shape}")


def test_a_ring_in_one_dimension_is_refused_with_what_it_needs():
    with pytest.raises(ShapeError, match=r"a ring must have at least 3 columns \(dim >= 2, plus 1\), got \(5, 2\)"):
        SHAPES["ring"](torch.ones(5, 2))


@pytest.mark.parametrize("name", SHAPES)
def test_noise_that_holds_no_floating_numbers_is_refused(name):
    with pytest.raises(TypeError, match="noise must hold floating-point numbers, got torch.int64"):
        SHAPES[name](torch.ones(5, 4, dtype=torch.int64))
    with pytest.raises(TypeError, match="noise must be a torch.Tensor, got list"):
        SHAPES[name]([[0.0, 1.0, 2.0]])
