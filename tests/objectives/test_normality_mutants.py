"""Broken variants of each one-dimensional test, which the laws of that test must catch, while the library obeys them.

A law takes a statistic and says whether it is obeyed. The variants are made from one direct formula, over sorted
samples, by replacing one piece; the formula with no piece replaced obeys every law as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from lewm_lite import seeded
from lewm_lite.objectives.empirical_distribution import anderson_darling, cramer_von_mises, kolmogorov_smirnov
from lewm_lite.objectives.moments import jarque_bera, low_moments
from lewm_lite.objectives.shapiro_wilk import royston_weights, shapiro_wilk

Statistic = Callable[[Tensor], Tensor]


def samples(num_samples=21, seed=0):
    """Three shadows: too wide, shifted, skewed."""
    normal = torch.randn(num_samples, 3, generator=seeded(seed), dtype=torch.float64)
    return torch.stack([1.5 * normal[:, 0], normal[:, 1] + 0.4, (0.5 * normal[:, 2]).exp() - 1], -1)


# ------------------------------------------------------------------ the formulas in pieces


def phi(x):
    return torch.special.ndtr(x)


def steps(x):
    """1 to N down axis -2."""
    return torch.arange(1, x.shape[-2] + 1, dtype=x.dtype)[:, None]


def kolmogorov_of(
    *, upper=lambda i, n: i / n, lower=lambda i, n: (i - 1) / n, height=phi, worst=lambda gap: gap.amax(-2)
):
    def statistic(x):
        x, i, n = x.sort(-2).values, steps(x), x.shape[-2]
        return worst(torch.cat([upper(i, n) - height(x), height(x) - lower(i, n)], -2))

    return statistic


def mises_of(*, middle=lambda i, n: (2 * i - 1) / (2 * n), height=phi, start=lambda n: 1 / (12 * n), gap=torch.square):
    def statistic(x):
        x, i, n = x.sort(-2).values, steps(x), x.shape[-2]
        return start(n) + gap(height(x) - middle(i, n)).sum(-2)

    return statistic


def anderson_of(*, weight=lambda i, n: 2 * i - 1, height=phi, turned=lambda x: x.flip(-2), start=lambda n: n, mean=1.0):
    def statistic(x):
        x, i, n = x.sort(-2).values, steps(x), x.shape[-2]
        return -start(n) - mean * (weight(i, n) * (height(x).log() + (1 - height(turned(x))).log())).sum(-2) / n

    return statistic


def shapiro_of(*, weights=royston_weights, spread=lambda x: x.var(-2) * (x.shape[-2] - 1), square=torch.square):
    def statistic(x):
        x = x.sort(-2).values
        return square((weights(x.shape[-2])[:, None] * x).sum(-2)) / spread(x)

    return statistic


def moments_of(
    *, order=(1, 2, 3, 4), own=(1, 2, 6, 24), power=2, scale=lambda n: n, polynomials=None, before=lambda x: x
):
    polynomials = polynomials or {1: lambda x: x, 2: lambda x: x**2 - 1, 3: lambda x: x**3 - 3 * x, 4: fourth}

    def statistic(x):
        x = before(x)
        terms = zip(order, own, strict=True)
        return scale(x.shape[-2]) * sum(polynomials[k](x).mean(-2) ** power / variance for k, variance in terms)

    return statistic


def fourth(x):
    return x**4 - 6 * x**2 + 3


def by_std(x, *, correction=0):
    return (x - x.mean(-2, keepdim=True)) / x.std(-2, correction=correction, keepdim=True)


# ------------------------------------------------------------------ the laws


def close(found, wanted, tolerance=1e-6):
    wanted = torch.as_tensor(np.asarray(wanted), dtype=torch.float64)
    return bool(((found - wanted).abs() <= tolerance * wanted.abs().clamp_min(1e-3)).all())


def agrees_with(reference, statistic):
    """With an independent value of each column, at few and more samples."""
    return all(
        close(statistic(x), [reference(column.numpy()) for column in x.mT]) for x in (samples(5), samples(21, seed=1))
    )


def anderson_by_integral(sample):
    """N times the squared gap of the distribution functions over their variance, integrated between the samples."""
    heights = [0.0, *np.sort(stats.norm.cdf(sample)), 1.0]
    n = len(sample)
    between = enumerate(zip(heights, heights[1:], strict=False))
    return n * sum(
        integrate.quad(lambda u, step=i / n: (step - u) ** 2 / (u * (1 - u)), low, high, epsabs=1e-12)[0]
        for i, (low, high) in between
    )


def moments_by_hermite(sample):
    basis = np.polynomial.hermite_e.HermiteE.basis
    return len(sample) * sum(basis(k)(sample).mean() ** 2 / math.factorial(k) for k in (1, 2, 3, 4))


def has_the_gradient_of_finite_differences(statistic):
    x = samples(9).requires_grad_()
    try:
        return torch.autograd.gradcheck(statistic, x, raise_exception=False)
    except (RuntimeError, ValueError):  # nothing that could be differentiated
        return False


def keeps_batches_and_directions_apart(statistic):
    x = torch.stack([samples(seed=1), samples(seed=2)])
    alone = torch.stack([torch.stack([statistic(x[b, :, k : k + 1])[0] for k in range(3)]) for b in range(2)])
    return close(statistic(x), alone.detach(), 1e-9)


TESTS: dict[str, tuple[Statistic, Statistic, Callable]] = {
    "kolmogorov_smirnov": (kolmogorov_smirnov, kolmogorov_of(), lambda x: stats.kstest(x, "norm").statistic),
    "cramer_von_mises": (cramer_von_mises, mises_of(), lambda x: stats.cramervonmises(x, "norm").statistic),
    "anderson_darling": (anderson_darling, anderson_of(), anderson_by_integral),
    "shapiro_wilk": (shapiro_wilk, shapiro_of(), lambda x: stats.shapiro(x).statistic),
    "low_moments": (low_moments, moments_of(), moments_by_hermite),
    "jarque_bera": (
        jarque_bera,
        moments_of(order=(3, 4), own=(6, 24), before=by_std),
        lambda x: stats.jarque_bera(x).statistic,
    ),
}


def laws_of(name):
    return (
        partial(agrees_with, TESTS[name][2]),
        has_the_gradient_of_finite_differences,
        keeps_batches_and_directions_apart,
    )


def obeys_all(name, statistic):
    return all(law(statistic) for law in laws_of(name))


# ------------------------------------------------------------------ the mutants


def unscaled_normal(n):
    """Expected order statistics without Royston's corrections of the outermost."""
    places = (torch.arange(1, n + 1, dtype=torch.float64) - 0.375) / (n + 0.25)
    weights = torch.special.ndtri(places)
    return weights / weights.norm()


def detached(statistic):
    return lambda x: statistic(x.detach())


def of_the_first_direction(statistic):
    return lambda x: statistic(x)[..., :1].expand(*x.shape[:-2], x.shape[-1])


def logistic(x):
    return torch.sigmoid(1.702 * x)


MUTANTS: dict[str, dict[str, Statistic]] = {
    "kolmogorov_smirnov": {
        "upper side only": kolmogorov_of(lower=lambda i, n: 1 + 0 * i),
        "lower side only": kolmogorov_of(upper=lambda i, n: 0 * i),
        "rank off by one above": kolmogorov_of(upper=lambda i, n: (i + 1) / n),
        "rank not less one below": kolmogorov_of(lower=lambda i, n: i / n),
        "middle of the step": kolmogorov_of(upper=lambda i, n: (i - 0.5) / n, lower=lambda i, n: (i - 0.5) / n),
        "divided by N + 1": kolmogorov_of(upper=lambda i, n: i / (n + 1)),
        "times the square root of N": lambda x: math.sqrt(x.shape[-2]) * kolmogorov_smirnov(x),
        "logistic for normal": kolmogorov_of(height=logistic),
        "mean gap for the largest": kolmogorov_of(worst=lambda gap: gap.abs().mean(-2)),
    },
    "cramer_von_mises": {
        "without its start": mises_of(start=lambda n: 0.0),
        "start 1 / (12 N^2)": mises_of(start=lambda n: 1 / (12 * n**2)),
        "upper end of the step": mises_of(middle=lambda i, n: i / n),
        "lower end of the step": mises_of(middle=lambda i, n: (i - 1) / n),
        "divided by N": lambda x: cramer_von_mises(x) / x.shape[-2],
        "logistic for normal": mises_of(height=logistic),
        "not squared": mises_of(gap=torch.abs),
    },
    "anderson_darling": {
        "weight 2 i": anderson_of(weight=lambda i, n: 2 * i),
        "weight 2 i - 2": anderson_of(weight=lambda i, n: 2 * i - 2),
        "weight missing": anderson_of(weight=lambda i, n: n + 0 * i),
        "right tail not turned round": anderson_of(turned=lambda x: x),
        "N not taken off": anderson_of(start=lambda n: 0.0),
        "N - 1 taken off": anderson_of(start=lambda n: n - 1),
        "not divided by N": lambda x: -x.shape[-2] + x.shape[-2] * (anderson_darling(x) + x.shape[-2]),
        "factor two": anderson_of(mean=2.0),
        "logistic for normal": anderson_of(height=logistic),
    },
    "shapiro_wilk": {
        "outermost weights not corrected": shapiro_of(weights=unscaled_normal),
        "weights turned round by one rank": shapiro_of(weights=lambda n: royston_weights(n).roll(1)),
        "weights of N + 1": shapiro_of(weights=lambda n: royston_weights(n + 1)[:-1]),
        "even weights": shapiro_of(weights=lambda n: torch.sign(royston_weights(n)) / math.sqrt(n)),
        "not squared": shapiro_of(square=torch.abs),
        "spread with N - 1": shapiro_of(spread=lambda x: x.var(-2)),
        "spread about 0": shapiro_of(spread=lambda x: x.square().sum(-2)),
        "1 - W": lambda x: 1 - shapiro_wilk(x),
    },
    "low_moments": {
        "fourth moment against 3 alone": moments_of(
            polynomials={1: lambda x: x, 2: lambda x: x**2 - 1, 3: lambda x: x**3 - 3 * x, 4: lambda x: x**4 - 3}
        ),
        "third moment plain": moments_of(
            polynomials={1: lambda x: x, 2: lambda x: x**2 - 1, 3: lambda x: x**3, 4: fourth}
        ),
        "no standard errors": moments_of(own=(1, 1, 1, 1)),
        "variances k for k!": moments_of(own=(1, 2, 3, 4)),
        "mean forgotten": moments_of(order=(2, 3, 4), own=(2, 6, 24)),
        "factor N missing": moments_of(scale=lambda n: 1),
        "N - 1": moments_of(scale=lambda n: n - 1),
        "not squared": moments_of(power=1),
        "standardised first": moments_of(before=by_std),
    },
    "jarque_bera": {
        "standard deviation by N - 1": moments_of(order=(3, 4), own=(6, 24), before=partial(by_std, correction=1)),
        "kurtosis against 0": lambda x: x.shape[-2] * (by_std(x) ** 4).mean(-2) ** 2 / 24 + jarque_bera(x),
        "skewness forgotten": moments_of(order=(4,), own=(24,), before=by_std),
        "kurtosis forgotten": moments_of(order=(3,), own=(6,), before=by_std),
        "24 and 6 exchanged": moments_of(order=(3, 4), own=(24, 6), before=by_std),
        "not standardised": moments_of(order=(3, 4), own=(6, 24)),
        "factor N missing": lambda x: jarque_bera(x) / x.shape[-2],
    },
}
for _name, (_library, _, _) in TESTS.items():
    MUTANTS[_name] |= {
        "no gradient": detached(_library),
        "gradient of the wrong sign": lambda x, f=_library: f(2 * x.detach() - x),
        "the first direction for all": of_the_first_direction(_library),
        "last sample forgotten": lambda x, f=_library: f(x[..., :-1, :]),
        "samples rounded": lambda x, f=_library: f(x + (x.bfloat16().double() - x).detach()),
    }


@pytest.mark.parametrize("which", [0, 1], ids=["the library", "the direct formula"])
@pytest.mark.parametrize("name", TESTS)
def test_the_laws_hold(name, which):
    assert obeys_all(name, TESTS[name][which])


@pytest.mark.parametrize(("name", "mutant"), [(name, mutant) for name in MUTANTS for mutant in MUTANTS[name]])
def test_the_mutant_is_caught(name, mutant):
    assert not obeys_all(name, MUTANTS[name][mutant]), f"the mutant of {name} survives every law: {mutant}"


@pytest.mark.parametrize("name", TESTS)
def test_every_law_catches_a_mutant(name):
    for law in laws_of(name):
        assert not all(law(mutant) for mutant in MUTANTS[name].values())
