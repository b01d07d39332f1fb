"""The one-dimensional tests of normality: SciPy's values, what each is blind to, gradients, and p-values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from lewm_lite import ShapeError, epps_pulley, seeded
from lewm_lite.objectives.empirical_distribution import log_normal_cdf, ranks
from lewm_lite.objectives.moments import low_moments, standardised
from lewm_lite.objectives.normality import NORMALITY_TESTS, null_scores, p_value
from lewm_lite.objectives.shapiro_wilk import royston_weights, shapiro_wilk

SCIPY = {
    "kolmogorov_smirnov": lambda sample: stats.kstest(sample, "norm").statistic,
    "cramer_von_mises": lambda sample: stats.cramervonmises(sample, "norm").statistic,
    "anderson_darling_any": lambda sample: _anderson(sample),
    "shapiro_wilk": lambda sample: stats.shapiro(sample).statistic,
    "jarque_bera": lambda sample: stats.jarque_bera(sample).statistic,
}
EVERY_TEST = pytest.mark.parametrize("name", NORMALITY_TESTS)
OF_ANY = [name for name, test in NORMALITY_TESTS.items() if test.against == "any"]


def _anderson(sample):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return stats.anderson(sample).statistic


def shadows(num_samples=40, num_directions=5, *leading, seed=0):
    """Samples of different scale, place and shape, no two alike."""
    normal = torch.randn(*leading, num_samples, num_directions, generator=seeded(seed), dtype=torch.float64)
    shapes = torch.stack([normal[..., 0], 2 * normal[..., 1] + 0.5, 0.1 * normal[..., 2], normal[..., 3] ** 3], -1)
    return torch.cat([shapes, normal[..., 4:].exp()], -1)


# ------------------------------------------------------------------ values


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize("num_samples", [3, 4, 5, 6, 7, 20, 101, 600])
def test_the_statistic_is_scipys(name, num_samples):
    samples = shadows(num_samples)
    wanted = [SCIPY[name](column.numpy()) for column in samples.mT]
    found = NORMALITY_TESTS[name].statistic(samples).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["kolmogorov_smirnov", "cramer_von_mises", "epps_pulley"])
def test_against_any_normal_it_is_the_statistic_of_the_standardised_sample(name):
    samples = shadows()
    by_hand = (samples - samples.mean(0)) / samples.std(0)
    found = NORMALITY_TESTS[f"{name}_any"].statistic(samples)
    torch.testing.assert_close(found, NORMALITY_TESTS[name].statistic(by_hand))


def test_anderson_darling_is_the_weighted_integral_between_the_distribution_functions():
    sample = torch.tensor([-2.1, -0.4, 0.3, 0.35, 1.9], dtype=torch.float64)
    steps = [0.0, *stats.norm.cdf(sample.numpy()), 1.0]
    pieces = [
        integrate.quad(lambda u, height=place / 5: (height - u) ** 2 / (u * (1 - u)), low, high)[0]
        for place, (low, high) in enumerate(zip(steps, steps[1:], strict=False))
    ]
    found = NORMALITY_TESTS["anderson_darling"].statistic(sample[:, None])
    assert math.isclose(found.item(), 5 * sum(pieces), rel_tol=1e-6)


def test_low_moments_is_the_sum_of_squared_means_of_hermite_polynomials_in_standard_errors():
    samples = shadows()
    wanted = 0
    for order in (1, 2, 3, 4):
        polynomial = np.polynomial.hermite_e.HermiteE.basis(order)
        wanted = wanted + 40 * polynomial(samples.numpy()).mean(0) ** 2 / math.factorial(order)
    np.testing.assert_allclose(low_moments(samples).numpy(), wanted, rtol=1e-10)


def test_jarque_bera_is_the_low_moments_of_the_standardised_sample():
    samples = shadows()
    found = NORMALITY_TESTS["jarque_bera"].statistic(samples)
    torch.testing.assert_close(found, low_moments(standardised(samples, correction=0)))


@pytest.mark.parametrize("num_samples", [3, 4, 6, 50, 5000])
def test_royston_weights_are_antisymmetric_and_of_length_one(num_samples):
    weights = royston_weights(num_samples)
    torch.testing.assert_close(weights, -weights.flip(0))
    assert math.isclose(weights.square().sum().item(), 1, rel_tol=1e-12)
    assert (weights.diff() > 0).all()


def test_the_logarithm_of_the_distribution_function_keeps_its_digits_far_out():
    values = torch.linspace(-60, 10, 7001, dtype=torch.float64)
    torch.testing.assert_close(log_normal_cdf(values), torch.special.log_ndtr(values), rtol=1e-8, atol=1e-12)
    single = log_normal_cdf(values.float()).double()
    torch.testing.assert_close(single, torch.special.log_ndtr(values), rtol=2e-5, atol=2e-7)


# ------------------------------------------------------------------ what a test looks at


@EVERY_TEST
def test_every_shadow_of_every_batch_is_tested_alone_in_any_order_of_its_samples(name):
    test = NORMALITY_TESTS[name]
    samples = shadows(17, 5, 2, 3)
    together = test.statistic(samples)
    assert together.shape == (2, 3, 5)
    shuffled = samples[..., torch.randperm(17, generator=seeded(1)), :]
    torch.testing.assert_close(test.statistic(shuffled), together)
    torch.testing.assert_close(test.statistic(samples[1, 2, :, 3:4]), together[1, 2, 3:4])


@pytest.mark.parametrize("name", OF_ANY)
def test_against_any_normal_shift_and_scale_change_nothing(name):
    samples = shadows()
    torch.testing.assert_close(
        NORMALITY_TESTS[name].statistic(0.01 * samples - 7), NORMALITY_TESTS[name].statistic(samples)
    )


@EVERY_TEST
def test_a_tiny_gaussian_is_normal_and_collapsed_and_only_a_test_for_the_standard_one_says_so(name):
    test = NORMALITY_TESTS[name]
    null = null_scores(test, 128, 400, generator=seeded(1))
    tiny = 0.01 * torch.randn(128, 50, generator=seeded(2), dtype=torch.float64)
    seen = (p_value(test, tiny, null=null) < 0.05).double().mean()
    assert seen == 1 if test.against == "standard" else seen < 0.2


@EVERY_TEST
@pytest.mark.parametrize("shape", ["clumps", "heavy"])
def test_every_test_sees_what_is_far_from_normal_at_mean_0_and_variance_1(name, shape):
    test = NORMALITY_TESTS[name]
    null = null_scores(test, 256, 400, generator=seeded(1))
    normal = torch.randn(2, 256, 40, generator=seeded(2), dtype=torch.float64)
    sign = torch.where(normal[1] < 0, -1.0, 1.0)
    sample = {"clumps": 0.98 * sign + 0.2 * normal[0], "heavy": normal[0] * torch.exp(normal[1] - 1)}[shape]
    assert (p_value(test, sample, null=null) < 0.05).double().mean() > 0.9


@EVERY_TEST
def test_equal_values_are_strong_evidence_with_a_finite_gradient(name):
    test = NORMALITY_TESTS[name]
    null = null_scores(test, 32, 200, generator=seeded(1))
    for equal in (torch.zeros(32, 1), torch.full((32, 1), 0.1)):
        assert test.evidence(equal).item() > null.quantile(0.98)
        slope = torch.func.grad(lambda samples: test.evidence(samples).sum())(equal)
        assert torch.isfinite(slope).all()


def test_ranks_run_from_1_to_n_and_equal_samples_share_them_out():
    samples = torch.tensor([[3.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    assert ranks(samples)[:, 0].tolist() == [3, 1, 2]
    assert sorted(ranks(samples)[:, 1].tolist()) == [1, 2, 3]


@EVERY_TEST
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("num_samples", [40, 700])
def test_half_precision_is_computed_in_float32(name, dtype, num_samples):
    half = torch.randn(num_samples, 3, generator=seeded(3)).to(dtype)
    found = NORMALITY_TESTS[name].statistic(half)
    assert found.dtype == torch.float32 and torch.equal(found, NORMALITY_TESTS[name].statistic(half.float()))


# ------------------------------------------------------------------ gradients


@EVERY_TEST
def test_the_gradient_is_that_of_finite_differences(name):
    samples = shadows(12, 5).requires_grad_()
    assert torch.autograd.gradcheck(NORMALITY_TESTS[name].evidence, samples)


@EVERY_TEST
def test_only_the_tests_that_say_so_have_kinks_where_two_samples_pass(name):
    """One-sided slopes along the path of one sample through another: alike without a kink, apart with one."""
    test = NORMALITY_TESTS[name]
    others = shadows(12, 5)[:, :1]
    meeting = others[5].item()

    def slope(place):
        moved = torch.cat([others, torch.tensor([[place]], dtype=torch.float64)])
        return torch.func.grad(lambda samples: test.evidence(samples).sum())(moved)[-1].item()

    before, after = slope(meeting - 1e-7), slope(meeting + 1e-7)
    if test.gradient == "everywhere":
        assert math.isclose(before, after, rel_tol=1e-4)
    elif not name.startswith("kolmogorov"):  # there only the worst sample has a kink to meet
        assert abs(after - before) > 1e-3 * max(abs(before), abs(after))


def test_kolmogorov_smirnov_moves_one_sample_and_the_others_move_all():
    samples = shadows()
    for name, test in NORMALITY_TESTS.items():
        slope = torch.func.grad(lambda samples, test=test: test.evidence(samples).sum())(samples)
        moved = (slope != 0).sum(0)
        assert (moved == (1 if name == "kolmogorov_smirnov" else 40)).all(), name


def test_far_out_the_gradients_part_some_grow_and_some_vanish():
    def slopes(name):
        others = torch.randn(63, 1, generator=seeded(0), dtype=torch.float64)

        def of(place):
            return NORMALITY_TESTS[name].evidence(torch.cat([others, place.reshape(1, 1)])).sum()

        return [abs(torch.func.grad(of)(torch.tensor(place, dtype=torch.float64)).item()) for place in (4.0, 8.0, 16.0)]

    moments, anderson, mises = slopes("low_moments"), slopes("anderson_darling"), slopes("cramer_von_mises")
    for near, far in ((0, 1), (1, 2)):  # twice as far out
        assert 100 < moments[far] / moments[near] < 200  # like the seventh power
        assert 1.8 < anderson[far] / anderson[near] < 2.2  # like the distance
    assert 1e-7 < mises[0] < 1e-5 and mises[1] < 1e-15  # like the bell curve
    bounded = slopes("epps_pulley")
    assert max(bounded) < 0.1


# ------------------------------------------------------------------ p-values


def test_the_null_is_sorted_comes_from_the_generator_and_has_the_tables_levels():
    """Stephens 1974: the 5 % levels with nothing fitted, and with mean and standard deviation fitted."""
    tabled = {
        "kolmogorov_smirnov": 1.358 / (math.sqrt(200) + 0.12 + 0.11 / math.sqrt(200)),
        "kolmogorov_smirnov_any": 0.895 / (math.sqrt(200) - 0.01 + 0.85 / math.sqrt(200)),
        "cramer_von_mises": 0.461,
        "cramer_von_mises_any": 0.126,
        "anderson_darling": 2.492,
        "anderson_darling_any": 0.752,
    }
    for name, level in tabled.items():
        null = null_scores(NORMALITY_TESTS[name], 200, 4000, generator=seeded(3))
        assert null.shape == (4000,) and null.dtype == torch.float64 and (null.diff() >= 0).all()
        assert math.isclose(null.quantile(0.95).item(), level, rel_tol=0.07), name
    again = null_scores(NORMALITY_TESTS[name], 200, 4000, generator=seeded(3))
    assert torch.equal(null, again)


@pytest.mark.parametrize("name", [name for name, test in NORMALITY_TESTS.items() if test.scipy_p_value])
def test_scipys_p_value_and_the_simulated_one_agree(name):
    test = NORMALITY_TESTS[name]
    samples = 1.1 * torch.randn(2, 1000, 3, generator=seeded(4), dtype=torch.float64)
    null = null_scores(test, 1000, 2000, generator=seeded(5))
    by_scipy, simulated = p_value(test, samples), p_value(test, samples, null=null)
    assert by_scipy.shape == simulated.shape == (2, 3)
    torch.testing.assert_close(by_scipy, simulated, atol=0.04, rtol=0.1)


def test_a_p_value_is_the_share_of_healthy_samples_that_look_as_bad():
    test = NORMALITY_TESTS["epps_pulley"]
    sample = shadows(20)[:, :1]
    score = test.evidence(sample).item()
    null = torch.tensor([score + 1, score - 1, score, score + 2, 0.0], dtype=torch.float64)  # in any order
    assert p_value(test, sample, null=null).item() == (3 + 1) / (5 + 1)


def test_healthy_samples_have_evenly_spread_p_values():
    test = NORMALITY_TESTS["shapiro_wilk"]
    healthy = torch.randn(50, 400, generator=seeded(6), dtype=torch.float64)
    for found in (p_value(test, healthy), p_value(test, healthy, null=null_scores(test, 50, generator=seeded(7)))):
        assert stats.kstest(found.numpy(), "uniform").pvalue > 0.01


@pytest.mark.parametrize("name", [name for name, test in NORMALITY_TESTS.items() if test.scipy_p_value])
def test_without_a_null_no_sample_is_refused_just_as_with_one(name):
    test = NORMALITY_TESTS[name]
    with pytest.raises(ShapeError, match=r"projections must be \(\*leading, samples, num_directions\)"):
        p_value(test, torch.zeros(5))
    with pytest.raises(ShapeError, match="projections needs at least [23] samples"):
        p_value(test, torch.zeros(1, 2))
    with pytest.raises(TypeError, match="projections must hold floating-point numbers"):
        p_value(test, torch.arange(5)[:, None])
    with pytest.raises(TypeError, match="projections must be a torch.Tensor"):
        p_value(test, np.zeros((5, 1)))
    with pytest.raises(ValueError, match="projections holds 1 NaN"):
        p_value(test, torch.tensor([[0.0], [1.0], [math.nan]]))


# ------------------------------------------------------------------ interface


def test_the_registry_names_its_tests_and_asks_both_questions():
    assert all(test.name == name for name, test in NORMALITY_TESTS.items())
    assert len({test.title for test in NORMALITY_TESTS.values()}) == len(NORMALITY_TESTS)
    assert NORMALITY_TESTS["epps_pulley"].statistic is epps_pulley
    for name in ("kolmogorov_smirnov", "cramer_von_mises", "anderson_darling", "epps_pulley"):
        assert NORMALITY_TESTS[name].against == "standard" and NORMALITY_TESTS[f"{name}_any"].against == "any"


@EVERY_TEST
def test_what_is_no_sample_is_refused(name):
    statistic = NORMALITY_TESTS[name].statistic
    with pytest.raises(ShapeError, match=r"projections must be \(\*leading, samples, num_directions\)"):
        statistic(torch.zeros(5))
    with pytest.raises(ShapeError, match="projections needs at least [23] samples"):
        statistic(torch.zeros(1, 2))
    with pytest.raises(TypeError, match="projections must hold floating-point numbers"):
        statistic(torch.zeros(5, 2, dtype=torch.long))
    with pytest.raises(ValueError, match="projections holds 1 NaN"):
        statistic(torch.tensor([[0.0], [1.0], [math.nan]]))


def test_what_does_not_fit_is_refused_in_a_sentence():
    test = NORMALITY_TESTS["epps_pulley"]
    with pytest.raises(
        ValueError, match=r"SciPy does not know the law of 'epps_pulley': give null=null_scores\(test, 8"
    ):
        p_value(test, torch.zeros(8, 1))
    with pytest.raises(ShapeError, match="null must be a vector of scores"):
        p_value(test, torch.zeros(8, 1), null=torch.zeros(0))
    with pytest.raises(ValueError, match="num_samples must be an integer of at least 3, got 2"):
        null_scores(test, 2, generator=seeded(0))
    with pytest.raises(TypeError, match="generator must be a torch.Generator"):
        null_scores(test, 8, generator=None)
    with pytest.raises(ShapeError, match="known for 3 to 5000 samples, got 5001"):
        shapiro_wilk(torch.zeros(5001, 1))
    with pytest.raises(ShapeError, match=r"weights must be one per sample, \(8,\), got shape \(7,\)"):
        shapiro_wilk(torch.zeros(8, 1), royston_weights(7))
