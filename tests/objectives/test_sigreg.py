"""SIGReg against what can be known about it without its code: formulas, known values, symmetries, gradients, memory."""

import math

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from lewm_lite import SIGReg, epps_pulley, random_directions, seeded, sigreg
from lewm_lite.checks import ShapeError


def cloud(*shape, seed=0, dtype=torch.float64):
    """A batch drawn from N(0, I)."""
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def compass(dim, num_directions, *, seed=100, dtype=torch.float64):
    """Unit directions, as exact as their type allows."""
    directions = random_directions(dim, num_directions, generator=seeded(seed)).double()
    return (directions / directions.norm(dim=0)).to(dtype)


def quadrature(knots=17, t_max=3.0):
    """Knots, N(0, 1)'s characteristic function there, and the weights of the folded trapezoid times the window."""
    t = torch.linspace(0, t_max, knots, dtype=torch.float64)
    normal = torch.exp(-(t**2) / 2)
    steps = torch.full((knots,), 2 * t_max / (knots - 1), dtype=torch.float64)
    steps[0] /= 2
    steps[-1] /= 2
    return t, normal, steps * normal


def direct_formula(embeddings, directions, *, knots=17, t_max=3.0):
    """The definition, letter by letter: a cosine and a sine for each knot, sample and direction."""
    t, normal, weights = quadrature(knots, t_max)
    angles = (embeddings @ directions)[..., None] * t  # (*leading, samples, num_directions, knots)
    real, imaginary = angles.cos().mean(-3), angles.sin().mean(-3)
    gap = (real - normal) ** 2 + imaginary**2
    return embeddings.shape[-2] * (gap * weights).sum(-1).mean()


def double_sum(samples, *, knots=17, t_max=3.0):
    """The same quadrature with the square written out: a kernel between all pairs of one sample ``(samples,)``."""
    t, normal, weights = quadrature(knots, t_max)
    pairs = ((samples[:, None, None] - samples[None, :, None]) * t).cos() @ weights
    with_normal = (samples[:, None] * t).cos() @ (weights * normal)
    return len(samples) * (pairs.mean() - 2 * with_normal.mean() + weights @ normal**2)


def closed_form(samples):
    """The integral over all frequencies, known exactly, of one sample ``(samples,)``."""
    pairs = torch.exp(-((samples[:, None] - samples[None, :]) ** 2) / 2).mean()
    with_normal = torch.exp(-(samples**2) / 4).mean()
    bracket = pairs - math.sqrt(2) * with_normal + 1 / math.sqrt(3)
    return len(samples) * math.sqrt(2 * math.pi) * bracket


def expected_score(std, num_samples):
    """The mean score of ``num_samples`` values drawn from N(0, std^2): bias squared plus variance at every knot."""
    t, normal, weights = quadrature()
    truth = torch.exp(-((std * t) ** 2) / 2)
    return (num_samples * weights @ ((truth - normal) ** 2 + (1 - truth**2) / num_samples)).item()


def value_and_gradient(score, embeddings, *arguments, **options):
    embeddings = embeddings.detach().clone().requires_grad_()
    value = score(embeddings, *arguments, **options)
    return value.detach(), torch.autograd.grad(value, embeddings)[0]


def assert_agree(actual, expected, tolerance):
    """Equal to within ``tolerance`` times the largest entry."""
    assert actual.shape == expected.shape
    error = ((actual.double() - expected.double()).abs().max() / expected.double().abs().max()).item()
    assert error <= tolerance, f"apart by {error:.1e} of the largest entry, allowed {tolerance:.0e}"


LOPSIDED = torch.tensor([-0.3, 0.1, 0.4, 0.5, 2.0, 7.5], dtype=torch.float64)
SAMPLES = {
    "normal": cloud(40),
    "narrow": 0.05 * cloud(40) + 0.7,
    "wide": 12 * cloud(40) - 3,
    "heavy-tailed": cloud(40) / cloud(40, seed=1),
    "lopsided": LOPSIDED,
    "two": torch.tensor([-1.0, 2.5], dtype=torch.float64),
    "collapsed": torch.full((9,), 1.3, dtype=torch.float64),
}
each_sample = pytest.mark.parametrize("samples", SAMPLES.values(), ids=SAMPLES.keys())


# The formula


@pytest.mark.parametrize(("knots", "t_max"), [(17, 3.0), (3, 3.0), (5, 1.0), (41, 3.0), (17, 1.0), (17, 5.0), (41, 5)])
@pytest.mark.parametrize("shape", [(2, 1), (33, 7), (3, 20, 8), (2, 3, 10, 4)], ids=str)
def test_value_and_gradient_are_those_of_the_direct_formula(shape, knots, t_max):
    embeddings, directions = 1.5 * cloud(*shape) + 0.3, compass(shape[-1], 12)
    expected = value_and_gradient(direct_formula, embeddings, directions, knots=knots, t_max=t_max)
    exact = value_and_gradient(sigreg, embeddings, directions, knots=knots, t_max=t_max)
    single = value_and_gradient(sigreg, embeddings.float(), directions.float(), knots=knots, t_max=t_max)
    for part in range(2):
        assert_agree(exact[part], expected[part], 1e-12)
        assert_agree(single[part], expected[part], 1e-5)


def test_value_and_gradient_are_those_of_the_direct_formula_at_the_width_of_the_paper():
    embeddings, directions = cloud(4, 128, 192, dtype=torch.float32), compass(192, 256, dtype=torch.float32)
    expected = value_and_gradient(direct_formula, embeddings.double(), directions.double())
    actual = value_and_gradient(sigreg, embeddings, directions)
    for part in range(2):
        assert actual[part].dtype == torch.float32
        assert_agree(actual[part], expected[part], 1e-5)


def test_the_gradient_reaches_the_directions_as_in_the_direct_formula():
    embeddings, directions = cloud(3, 20, 8), compass(8, 12)
    expected = value_and_gradient(lambda columns: direct_formula(embeddings, columns), directions)
    actual = value_and_gradient(lambda columns: sigreg(embeddings, columns), directions)
    assert_agree(actual[1], expected[1], 1e-12)


def test_two_samples_and_three_knots_give_what_paper_and_pencil_give():
    # Samples -1 and 1, knots 0, 1/2, 1: nothing at 0, weight 2 * 1/2 at 1/2, half of that at the end.
    at_half = math.exp(-1 / 8) * (math.cos(1 / 2) - math.exp(-1 / 8)) ** 2
    at_one = math.exp(-1 / 2) * (math.cos(1) - math.exp(-1 / 2)) ** 2
    by_hand = 2 * (at_half + at_one / 2)
    samples = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    assert epps_pulley(samples, knots=3, t_max=1.0).item() == pytest.approx(by_hand, rel=1e-12)


@each_sample
@pytest.mark.parametrize(("knots", "t_max"), [(17, 3.0), (5, 1.0)])
def test_the_quadrature_is_a_double_sum_of_a_kernel(samples, knots, t_max):
    actual = epps_pulley(samples[:, None], knots=knots, t_max=t_max).squeeze()
    expected = double_sum(samples, knots=knots, t_max=t_max)
    assert actual.item() == pytest.approx(expected.item(), rel=1e-10)


@each_sample
def test_many_knots_and_a_long_range_reach_the_closed_form(samples):
    actual = epps_pulley(samples[:, None], knots=2001, t_max=12.0)
    assert actual.item() == pytest.approx(closed_form(samples).item(), rel=1e-9)


def test_the_default_knots_come_within_six_percent_of_the_closed_form():
    for name in ("narrow", "lopsided", "two", "collapsed"):
        ratio = (epps_pulley(SAMPLES[name][:, None]) / closed_form(SAMPLES[name])).item()
        assert 0.94 < ratio < 1, f"{name}: {ratio}"


# Known values


@pytest.mark.parametrize("num_samples", [2, 16, 64, 128, 1000])
def test_a_batch_collapsed_at_zero_scores_0_40205_n(num_samples):
    score = sigreg(torch.zeros(num_samples, 5), compass(5, 7, dtype=torch.float32))
    assert score.item() / num_samples == pytest.approx(0.40205, abs=5e-6)


def test_a_batch_collapsed_at_zero_scores_0_40892_n_over_all_frequencies():
    score = epps_pulley(torch.zeros(50, 1, dtype=torch.float64), knots=2001, t_max=12.0)
    assert score.item() / 50 == pytest.approx(0.40892, abs=5e-6)


@pytest.mark.parametrize(("num_samples", "repeats"), [(16, 512), (128, 128), (1024, 48)])
def test_a_normal_batch_scores_1_0525_on_average_whatever_its_size(num_samples, repeats):
    assert expected_score(1, num_samples) == pytest.approx(1.0525, abs=5e-5)
    directions = compass(64, 64, dtype=torch.float32)
    batches = cloud(repeats, num_samples, 64, dtype=torch.float32)
    scores = torch.stack([sigreg(batch, directions) for batch in batches])
    standard_error = scores.std() / math.sqrt(repeats)
    assert standard_error < 0.025
    assert abs(scores.mean() - 1.0525) < 4 * standard_error


@pytest.mark.parametrize(("std", "published"), [(0.5, 19.85), (2.0, 32.0), (10.0, 149.0)])
def test_a_wrong_spread_scores_what_the_published_code_gives(std, published):
    directions = compass(192, 64, dtype=torch.float32)
    scores = torch.stack([sigreg(std * batch, directions) for batch in cloud(12, 128, 192, dtype=torch.float32)])
    assert scores.mean().item() == pytest.approx(expected_score(std, 128), rel=0.02)
    assert scores.mean().item() == pytest.approx(published, rel=0.02)


def test_a_wrong_law_scores_in_proportion_to_the_number_of_samples():
    once = 0.3 * cloud(32, 4)
    twice = torch.cat([once, once])
    assert sigreg(twice, compass(4, 8)).item() == pytest.approx(2 * sigreg(once, compass(4, 8)).item(), rel=1e-12)


def test_no_batch_scores_more_than_7_4917_n():
    _, normal, weights = quadrature()
    ceiling = (weights @ (1 + normal) ** 2).item()
    assert ceiling == pytest.approx(7.4917, abs=5e-5)
    points = torch.linspace(-60, 60, 4001, dtype=torch.float64)
    point_masses = epps_pulley(points.expand(3, -1))
    symmetric_pairs = epps_pulley(torch.stack([points, -points]))
    assert point_masses.max() / 3 <= ceiling
    assert symmetric_pairs.max() / 2 <= ceiling
    # The ceiling would need cos(t x) = -1 at every knot; one point gets to a little more than half of it.
    assert point_masses.max().item() / 3 == pytest.approx(3.947, abs=1e-3)


def test_no_sample_scores_below_zero_and_the_best_one_far_below_the_floor():
    quantiles = torch.special.ndtri((torch.arange(256, dtype=torch.float64) + 0.5) / 256)
    assert 0 <= epps_pulley(quantiles[:, None]).item() < 0.01


def test_a_normal_shape_of_the_wrong_place_or_width_is_refused_as_well():
    quantiles = torch.special.ndtri((torch.arange(256, dtype=torch.float64) + 0.5) / 256)
    for moved in (quantiles + 0.5, 0.7 * quantiles, 1.4 * quantiles):
        assert epps_pulley(moved[:, None]).item() > 4


# Symmetries


def rotation(dim):
    return torch.linalg.qr(cloud(dim, dim, seed=7)).Q


def test_turning_embeddings_and_directions_together_changes_nothing():
    embeddings, directions, turn = 0.5 * cloud(3, 20, 6) + 0.2, compass(6, 9), rotation(6)
    value, gradient = value_and_gradient(sigreg, embeddings, directions)
    turned_value, turned_gradient = value_and_gradient(sigreg, embeddings @ turn, turn.T @ directions)
    assert_agree(turned_value, value, 1e-12)
    assert_agree(turned_gradient, gradient @ turn, 1e-12)
    assert abs(sigreg(embeddings @ turn, directions) - value) > 1e-3 * value  # and turning one alone does


def test_the_order_of_the_samples_does_not_matter():
    embeddings, directions = cloud(3, 20, 6), compass(6, 9)
    order = torch.randperm(20, generator=seeded(2))
    value, gradient = value_and_gradient(sigreg, embeddings, directions)
    shuffled_value, shuffled_gradient = value_and_gradient(sigreg, embeddings[:, order], directions)
    assert_agree(shuffled_value, value, 1e-13)
    assert_agree(shuffled_gradient, gradient[:, order], 1e-12)


def test_a_direction_and_its_opposite_see_the_same():
    embeddings, directions = cloud(20, 6) + 0.4, compass(6, 9)
    flipped = directions * torch.tensor([1, -1, 1, 1, -1, -1, 1, -1, 1])
    assert_agree(epps_pulley(embeddings @ flipped), epps_pulley(embeddings @ directions), 1e-13)
    assert_agree(sigreg(embeddings, flipped), sigreg(embeddings, directions), 1e-13)


def test_the_order_of_the_directions_does_not_matter():
    embeddings, directions = cloud(3, 20, 6), compass(6, 9)
    order = torch.randperm(9, generator=seeded(3))
    assert_agree(sigreg(embeddings, directions[:, order]), sigreg(embeddings, directions), 1e-13)
    statistics = epps_pulley(embeddings @ directions)
    assert_agree(epps_pulley(embeddings @ directions[:, order]), statistics[:, order], 1e-13)


def test_sigreg_is_the_mean_of_epps_pulley_over_the_shadows():
    embeddings, directions = cloud(3, 20, 6) - 0.2, compass(6, 9)
    statistics = epps_pulley(embeddings @ directions, knots=9, t_max=2.0)
    assert statistics.shape == (3, 9)
    assert_agree(sigreg(embeddings, directions, knots=9, t_max=2.0), statistics.mean(), 1e-13)


def test_epps_pulley_scores_each_column_on_its_own():
    projections = cloud(2, 3, 20, 5) + torch.arange(5)
    statistics = epps_pulley(projections)
    assert statistics.shape == (2, 3, 5)
    for index in [(0, 0, 0), (1, 2, 4), (0, 1, 3)]:
        column = projections[index[0], index[1], :, index[2]]
        assert statistics[index].item() == pytest.approx(double_sum(column).item(), rel=1e-10)


def test_leading_axes_are_separate_batches_whose_scores_are_averaged():
    clips, directions = cloud(4, 32, 6) * torch.tensor([0.0, 0.5, 1.0, 2.0])[:, None, None], compass(6, 9)
    steps = torch.stack([sigreg(step, directions) for step in clips])
    assert_agree(sigreg(clips, directions), steps.mean(), 1e-13)
    assert_agree(sigreg(clips.view(2, 2, 32, 6), directions), steps.mean(), 1e-13)
    assert sigreg(clips.flatten(0, 1), directions) < 0.7 * steps.mean()  # pooling the steps hides what each one lacks


def test_a_clip_with_batch_before_time_gives_another_score():
    clips, directions = cloud(4, 32, 6) * torch.tensor([0.0, 1.0, 1.0, 1.0])[:, None, None], compass(6, 9)
    # One time step of four is collapsed: right, a quarter of 0.402 * 32 shows; wrong, one sample of four is at zero.
    right, wrong = sigreg(clips, directions), sigreg(clips.transpose(0, 1), directions)
    assert right > 3
    assert wrong < 1.5


# Gradients


def test_a_batch_exactly_at_zero_has_no_gradient_at_all():
    value, gradient = value_and_gradient(sigreg, torch.zeros(16, 5), compass(5, 7, dtype=torch.float32))
    assert value > 6
    assert torch.equal(gradient, torch.zeros(16, 5))


def test_near_collapse_the_gradient_is_in_proportion_to_the_spread_and_pushes_outward():
    shape, directions = cloud(64, 5) - cloud(64, 5).mean(0), compass(5, 40)
    small, large = (value_and_gradient(sigreg, spread * shape, directions)[1] for spread in (1e-4, 1e-3))
    assert_agree(large, 10 * small, 1e-4)
    assert (small * shape).sum() < 0


def test_a_batch_collapsed_elsewhere_is_moved_but_not_spread():
    _, gradient = value_and_gradient(sigreg, torch.full((16, 5), 0.6, dtype=torch.float64), compass(5, 40))
    assert gradient.norm() > 0.01
    assert_agree(gradient, gradient[:1].expand(16, 5), 1e-13)


def test_descent_takes_a_narrow_and_a_wide_cloud_to_unit_spread():
    generator = seeded(4)
    for start in (0.3, 2.0):
        points = (start * cloud(256, 3)).requires_grad_()
        for _ in range(150):
            directions = random_directions(3, 32, generator=generator)
            (gradient,) = torch.autograd.grad(sigreg(points, directions), points)
            points = (points - 4 * gradient).detach().requires_grad_()
        assert (points.std(0) - 1).abs().max() < 0.1
        assert points.mean(0).abs().max() < 0.1


def small_problem():
    embeddings = (0.8 * cloud(2, 5, 3) + 0.2).requires_grad_()
    return embeddings, compass(3, 4).requires_grad_()


@pytest.mark.parametrize(("knots", "t_max"), [(17, 3.0), (3, 1.0)])
def test_first_and_second_derivatives_match_finite_differences(knots, t_max):
    def score(embeddings, directions):
        return sigreg(embeddings, directions, knots=knots, t_max=t_max)

    assert torch.autograd.gradcheck(score, small_problem())
    assert torch.autograd.gradgradcheck(score, small_problem())


def test_first_and_second_derivatives_of_each_statistic_match_finite_differences():
    projections = (0.8 * cloud(5, 3) + 0.2).requires_grad_()
    assert torch.autograd.gradcheck(epps_pulley, (projections,))
    assert torch.autograd.gradgradcheck(epps_pulley, (projections,))


def test_functional_transforms_give_the_gradient_of_the_direct_formula():
    embeddings, directions = (tensor.detach() for tensor in small_problem())
    _, expected = value_and_gradient(direct_formula, embeddings, directions)
    assert_agree(torch.func.grad(sigreg)(embeddings, directions), expected, 1e-12)
    assert_agree(torch.func.jacrev(sigreg)(embeddings, directions), expected, 1e-12)
    per_step = torch.func.vmap(torch.func.grad(sigreg), in_dims=(0, None))(embeddings, directions)
    assert_agree(per_step / 2, expected, 1e-12)


def test_vmap_over_batches_and_over_directions_gives_each_score():
    embeddings, directions = cloud(3, 10, 4), torch.stack([compass(4, 6, seed=seed) for seed in range(3)])
    batches = torch.func.vmap(sigreg, in_dims=(0, None))(embeddings, directions[0])
    assert_agree(batches, torch.stack([direct_formula(batch, directions[0]) for batch in embeddings]), 1e-12)
    draws = torch.func.vmap(sigreg, in_dims=(None, 0))(embeddings, directions)
    assert_agree(draws, torch.stack([direct_formula(embeddings, draw) for draw in directions]), 1e-12)


def test_the_jacobian_of_the_statistics_links_each_shadow_to_itself_only():
    projections = cloud(6, 3) + 0.3
    jacobian = torch.func.jacrev(epps_pulley)(projections)  # (shadow, sample, shadow)
    for shadow in range(3):
        own = value_and_gradient(double_sum, projections[:, shadow])[1]
        assert_agree(jacobian[shadow, :, shadow], own, 1e-10)
        assert jacobian[shadow].count_nonzero() == 6


def test_the_hessian_is_that_of_the_direct_formula():
    embeddings, directions = (tensor.detach()[0] if tensor.ndim == 3 else tensor.detach() for tensor in small_problem())
    actual = torch.func.jacrev(torch.func.jacrev(sigreg))(embeddings, directions)
    expected = torch.autograd.functional.hessian(lambda points: direct_formula(points, directions), embeddings)
    assert_agree(actual, expected, 1e-12)


# Tracing an autograd.Function, torch makes an instance of it, against its own advice.
traced = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


@pytest.fixture
def compiled_anew():
    torch._dynamo.reset()
    yield lambda score: torch.compile(score, backend="aot_eager", fullgraph=True)
    torch._dynamo.reset()


@traced
@pytest.mark.parametrize(("knots", "t_max"), [(17, 3.0), (5, 1.0)])
def test_one_compiled_graph_gives_the_same_value_and_gradient(compiled_anew, knots, t_max):
    embeddings, directions = cloud(2, 12, 4, dtype=torch.float32), compass(4, 6, dtype=torch.float32)
    expected = value_and_gradient(direct_formula, embeddings.double(), directions.double(), knots=knots, t_max=t_max)
    compiled = value_and_gradient(compiled_anew(sigreg), embeddings, directions, knots=knots, t_max=t_max)
    for part in range(2):
        assert_agree(compiled[part], expected[part], 1e-5)


@traced
def test_a_compiled_graph_follows_the_size_of_the_batch(compiled_anew):
    compiled = compiled_anew(sigreg)
    directions = compass(4, 6)
    for num_samples in (8, 12, 31):
        embeddings = 0.5 * cloud(num_samples, 4)
        assert_agree(compiled(embeddings, directions), direct_formula(embeddings, directions), 1e-12)


@traced
def test_a_compiled_graph_follows_knots_and_t_max(compiled_anew):
    compiled = compiled_anew(sigreg)
    embeddings, directions = 0.5 * cloud(12, 4), compass(4, 6)
    for knots, t_max in [(17, 3.0), (17, 5.0), (5, 1.0)]:
        expected = direct_formula(embeddings, directions, knots=knots, t_max=t_max)
        assert_agree(compiled(embeddings, directions, knots=knots, t_max=t_max), expected, 1e-12)


# Precision


def test_under_autocast_the_score_stays_in_float32_and_keeps_its_value():
    embeddings = (0.5 * cloud(2, 64, 32, dtype=torch.float32)).requires_grad_()
    directions = compass(32, 16, dtype=torch.float32)
    module = SIGReg(num_directions=16)
    outside, module_outside = sigreg(embeddings, directions), module(embeddings, generator=seeded(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (embeddings @ directions).dtype == torch.bfloat16  # autocast is on, and would spoil the projections
        inside, module_inside = sigreg(embeddings, directions), module(embeddings, generator=seeded(3))
    assert inside.dtype == module_inside.dtype == torch.float32
    assert_agree(inside, outside, 1e-6)
    assert_agree(module_inside, module_outside, 1e-6)
    gradients = [torch.autograd.grad(value, embeddings)[0] for value in (inside, outside)]
    assert_agree(*gradients, 1e-6)


def test_under_autocast_the_statistics_of_float32_projections_keep_their_values():
    projections = 0.5 * cloud(64, 16, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        statistics = epps_pulley(projections)
    assert statistics.dtype == torch.float32
    assert_agree(statistics, epps_pulley(projections), 1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_embeddings_are_scored_in_float32(dtype):
    embeddings, directions = 0.5 * cloud(64, 32, dtype=dtype), compass(32, 16, dtype=torch.float32)
    value, gradient = value_and_gradient(sigreg, embeddings, directions)
    expected_value, expected_gradient = value_and_gradient(direct_formula, embeddings.double(), directions.double())
    assert value.dtype == torch.float32
    assert gradient.dtype == dtype
    assert_agree(value, expected_value, 1e-5)
    assert_agree(gradient, expected_gradient, 2 * torch.finfo(dtype).eps)
    assert epps_pulley(embeddings).dtype == torch.float32


@pytest.mark.parametrize("directions_dtype", [torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_embeddings_decide_the_precision(dtype, directions_dtype):
    embeddings, directions = cloud(20, 6, dtype=dtype), compass(6, 9, dtype=directions_dtype)
    score = sigreg(embeddings, directions)
    assert score.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert_agree(score, direct_formula(embeddings.double(), directions.double()), tolerance)


# Directions and the module


def test_directions_are_unit_columns_in_float32():
    directions = random_directions(7, 300, generator=seeded(0))
    assert directions.shape == (7, 300)
    assert directions.dtype == torch.float32
    assert (directions.norm(dim=0) - 1).abs().max() < 1e-6


def test_in_one_dimension_both_directions_are_as_likely():
    directions = random_directions(1, 4000, generator=seeded(0))
    assert torch.equal(directions.abs(), torch.ones(1, 4000))
    assert directions.mean().abs() < 4 / math.sqrt(4000)


@pytest.mark.parametrize("dim", [2, 3, 16])
def test_directions_are_uniform_on_the_sphere(dim):
    count = 40_000
    directions = random_directions(dim, count, generator=seeded(0)).double()
    assert directions.mean(1).abs().max() < 4 / math.sqrt(dim * count)
    covariance = directions @ directions.T / count
    assert (covariance - torch.eye(dim) / dim).abs().max() < 4 * math.sqrt(2) / (dim * math.sqrt(count))
    # A cube's corners and the axes pass so far; the fourth moment of a coordinate tells them from the sphere.
    fourth = directions**4
    expected = 3 / (dim * (dim + 2))
    assert (fourth.mean(1) - expected).abs().max() < 4 * fourth.std() / math.sqrt(count)


def test_directions_are_drawn_from_the_generator_alone():
    generator = seeded(5)
    first, second = (random_directions(4, 6, generator=generator) for _ in range(2))
    assert torch.equal(first, random_directions(4, 6, generator=seeded(5)))
    assert not torch.equal(first, second)


def test_the_module_is_sigreg_along_directions_drawn_now():
    embeddings = cloud(3, 20, 6, dtype=torch.float32)
    module = SIGReg(num_directions=9, knots=5, t_max=2.0)
    directions = random_directions(6, 9, generator=seeded(5))
    assert torch.equal(module(embeddings, generator=seeded(5)), sigreg(embeddings, directions, knots=5, t_max=2.0))


def test_two_calls_of_the_module_use_other_directions():
    embeddings, module, generator = cloud(20, 6, dtype=torch.float32), SIGReg(num_directions=9), seeded(5)
    first, second = (module(embeddings, generator=generator) for _ in range(2))
    assert abs(first - second) > 1e-3
    generator = seeded(5)
    assert torch.equal(
        torch.stack([module(embeddings, generator=generator) for _ in range(2)]), torch.stack([first, second])
    )


def test_the_module_has_the_defaults_of_the_published_code_and_nothing_to_learn():
    module = SIGReg()
    assert (module.num_directions, module.knots, module.t_max) == (1024, 17, 3.0)
    assert not list(module.parameters()) and not module.state_dict()
    assert repr(module) == "SIGReg(num_directions=1024, knots=17, t_max=3.0)"


def test_the_global_random_state_is_left_alone_by_every_function():
    before = torch.get_rng_state()
    embeddings = cloud(20, 6, dtype=torch.float32).requires_grad_()
    directions = random_directions(6, 9, generator=seeded(5))
    epps_pulley(embeddings).sum().backward()
    sigreg(embeddings, directions).backward()
    SIGReg(num_directions=9)(embeddings, generator=seeded(5)).backward()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("score", [sigreg, lambda z, a: epps_pulley(z), lambda z, a: SIGReg(9)(z, generator=seeded(0))])
def test_the_arguments_are_left_as_they_were(score):
    embeddings, directions = cloud(20, 6), compass(6, 9)
    value_and_gradient(lambda *inputs: score(*inputs).sum(), embeddings, directions)
    assert torch.equal(embeddings, cloud(20, 6))
    assert torch.equal(directions, compass(6, 9))


# Memory


class Allocations(TorchDispatchMode):
    """Follows every tensor that an operation returns: the largest one, and the most bytes alive at one time."""

    def __init__(self):
        super().__init__()
        self.largest, self.peak_bytes, self._alive = 0, 0, {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                self.largest = max(self.largest, tensor.numel())
                self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self._alive = {key: entry for key, entry in self._alive.items() if not entry[0].expired()}
        self.peak_bytes = max(self.peak_bytes, sum(nbytes for _, nbytes in self._alive.values()))
        return result


def allocations(score, embeddings, directions, knots):
    with Allocations() as seen:
        value_and_gradient(score, embeddings, directions, knots=knots)
    return seen


def bytes_saved_for_backward(score, embeddings, directions, knots):
    sizes = []

    def pack(tensor):
        sizes.append(tensor.numel() * tensor.element_size())
        return tensor

    embeddings = embeddings.detach().clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        score(embeddings, directions, knots=knots)
    return sum(sizes)


FEW, MANY = 5, 41


def growth(measure, score, num_samples):
    """By how much the measure grows from a few knots to many, at 4 x ``num_samples`` x 16 shadows."""
    embeddings, directions = cloud(4, num_samples, 8), compass(8, 16)
    return measure(score, embeddings, directions, MANY) - measure(score, embeddings, directions, FEW)


def per_knot_vectors(count):
    """Bytes of ``count`` vectors with one float64 per batch, direction and added knot: no sample in it."""
    return count * 4 * 16 * (MANY - FEW) * 8


def test_what_is_saved_for_backward_grows_with_knots_by_a_few_vectors_without_samples():
    small, large = (growth(bytes_saved_for_backward, sigreg, num_samples) for num_samples in (64, 1024))
    assert small == large
    assert small <= per_knot_vectors(4)
    assert growth(bytes_saved_for_backward, direct_formula, 64) > per_knot_vectors(64)  # the measure can fail


def test_the_peak_of_memory_grows_with_knots_by_a_few_vectors_without_samples():
    def peak(*arguments):
        return allocations(*arguments).peak_bytes

    one_power = 4 * 1024 * 16 * 8
    assert growth(peak, sigreg, 1024) <= per_knot_vectors(12) < one_power
    assert growth(peak, direct_formula, 1024) > (MANY - FEW) * one_power  # the measure can fail


def test_no_tensor_of_knots_times_samples_times_directions_ever_exists():
    embeddings, directions = cloud(4, 1024, 8), compass(8, 64)
    shadows = 4 * 1024 * 64  # more than is worked on at once
    assert allocations(sigreg, embeddings, directions, MANY).largest == shadows
    assert allocations(direct_formula, embeddings, directions, MANY).largest == MANY * shadows  # the measure can fail


# What is refused

GOOD, ALONG = cloud(5, 3), compass(3, 4)


def spoiled(value):
    return GOOD.index_fill(0, torch.tensor([2]), value)


BAD_EMBEDDINGS = {
    "one axis": (GOOD[0], ShapeError, r"got shape \(3,\): for one-dimensional samples add an axis"),
    "no axis": (GOOD[0, 0], ShapeError, r"must be \(\*leading, samples, (dim|num_directions)\), got shape \(\)"),
    "one sample": (GOOD[:1], ShapeError, r"needs at least 2 samples on axis -2, got shape \(1, 3\)"),
    "one sample a step": (GOOD[:, None], ShapeError, r"at least 2 samples on axis -2, got shape \(5, 1, 3\)"),
    "no batch": (GOOD[None][:0], ShapeError, r"must not be empty, got shape \(0, 5, 3\)"),
    "no dimension": (GOOD[:, :0], ShapeError, r"must not be empty, got shape \(5, 0\)"),
    "nan": (spoiled(math.nan), ValueError, "holds 3 NaN or infinite values out of 15"),
    "infinity": (spoiled(math.inf), ValueError, "holds 3 NaN or infinite values out of 15"),
    "minus infinity": (spoiled(-math.inf), ValueError, "holds 3 NaN or infinite values out of 15"),
    "integers": (torch.ones(5, 3, dtype=torch.int64), TypeError, "must hold floating-point numbers, got torch.int64"),
    "complex": (GOOD.to(torch.complex128), TypeError, "must hold floating-point numbers, got torch.complex128"),
    "a list": (GOOD.tolist(), TypeError, "must be a torch.Tensor, got list"),
}


@pytest.mark.parametrize("case", BAD_EMBEDDINGS)
def test_bad_embeddings_are_refused_by_name(case):
    value, error, message = BAD_EMBEDDINGS[case]
    with pytest.raises(error, match=f"embeddings .*{message}"):
        sigreg(value, ALONG)
    with pytest.raises(error, match=f"embeddings .*{message}"):
        SIGReg(num_directions=4)(value, generator=seeded(0))
    with pytest.raises(error, match=f"projections .*{message}"):
        epps_pulley(value)


@pytest.mark.parametrize(
    ("directions", "error", "message"),
    [
        (ALONG[:, 0], ShapeError, r"must be \(dim, num_directions\) .* got shape \(3,\)"),
        (ALONG[None], ShapeError, r"must be \(dim, num_directions\) .* got shape \(1, 3, 4\)"),
        (ALONG[:, :0], ShapeError, r"at least one direction, got shape \(3, 0\)"),
        (compass(7, 4), ShapeError, r"the dimension of the embeddings, 3, .* got shape \(7, 4\): .*directions\(3, "),
        (ALONG.T, ShapeError, r"the dimension of the embeddings, 3, as rows, got shape \(4, 3\)"),
        (ALONG.to("meta"), ValueError, "on meta and embeddings on cpu: move them with directions.to"),
        (ALONG.long(), TypeError, "must hold floating-point numbers, got torch.int64"),
        (ALONG.tolist(), TypeError, "must be a torch.Tensor, got list"),
        (None, TypeError, "must be a torch.Tensor, got NoneType"),
    ],
    ids=["one axis", "three axes", "none", "other dimension", "transposed", "other device", "integers", "list", "None"],
)
def test_bad_directions_are_refused_by_name(directions, error, message):
    with pytest.raises(error, match=f"directions .*{message}"):
        sigreg(GOOD, directions)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_directions_that_hold_nan_or_infinity_are_refused_by_name(value):
    with pytest.raises(ValueError, match="directions holds 4 NaN or infinite values out of 12"):
        sigreg(GOOD, ALONG.index_fill(0, torch.tensor([1]), value))


def test_embeddings_on_another_device_than_the_directions_are_refused():
    with pytest.raises(ValueError, match="directions are on cpu and embeddings on meta"):
        sigreg(GOOD.to("meta"), ALONG)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"knots": 1}, "knots must be an integer of at least 3, got 1"),
        ({"knots": 2}, "knots must be an integer of at least 3, got 2"),
        ({"knots": -17}, "knots must be an integer of at least 3, got -17"),
        ({"knots": 16}, "knots must be odd, .*got 16: try 17"),
        ({"knots": 17.0}, r"knots must be an integer of at least 3, got 17\.0"),
        ({"knots": True}, "knots must be an integer of at least 3, got True"),
        ({"t_max": 0.0}, r"t_max must be a finite number above 0, got 0\.0"),
        ({"t_max": -3.0}, r"t_max must be a finite number above 0, got -3\.0"),
        ({"t_max": math.nan}, "t_max must be a finite number above 0, got nan"),
        ({"t_max": math.inf}, "t_max must be a finite number above 0, got inf"),
        ({"t_max": "3"}, "t_max must be a finite number above 0, got '3'"),
        ({"t_max": True}, "t_max must be a finite number above 0, got True"),
    ],
    ids=str,
)
def test_a_bad_quadrature_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        sigreg(GOOD, ALONG, **options)
    with pytest.raises(ValueError, match=message):
        epps_pulley(GOOD, **options)
    with pytest.raises(ValueError, match=message):
        SIGReg(num_directions=4, **options)


@pytest.mark.parametrize("count", [0, -1, True, False, 4.0, "4", None], ids=repr)
def test_a_bad_number_of_directions_or_dimensions_is_refused_by_name(count):
    with pytest.raises(ValueError, match="num_directions must be an integer of at least 1, got "):
        random_directions(3, count, generator=seeded(0))
    with pytest.raises(ValueError, match="num_directions must be an integer of at least 1, got "):
        SIGReg(num_directions=count)
    with pytest.raises(ValueError, match="dim must be an integer of at least 1, got "):
        random_directions(count, 4, generator=seeded(0))


@pytest.mark.parametrize("generator", [None, 0, "0"], ids=repr)
def test_anything_but_a_generator_is_refused(generator):
    with pytest.raises(TypeError, match="generator must be a torch.Generator, got "):
        random_directions(3, 4, generator=generator)
    with pytest.raises(TypeError, match="generator must be a torch.Generator, got "):
        SIGReg(num_directions=4)(GOOD, generator=generator)


def test_a_generator_cannot_be_left_out():
    with pytest.raises(TypeError, match="generator"):
        random_directions(3, 4)
    with pytest.raises(TypeError, match="generator"):
        SIGReg(num_directions=4)(GOOD)


def test_options_go_by_name():
    with pytest.raises(TypeError, match="positional"):
        sigreg(GOOD, ALONG, 17)
    with pytest.raises(TypeError, match="positional"):
        epps_pulley(GOOD, 17)
    with pytest.raises(TypeError, match="positional"):
        random_directions(3, 4, seeded(0))
