r"""Tests of normality in one dimension under one interface, so that they can be compared as tests and as losses.

A test is a statistic of each shadow of a cloud, ``(*leading, samples, num_directions) -> (*leading, num_directions)``,
as :func:`lewm_lite.epps_pulley` is. Some ask for N(0, 1), and some for any normal law, whatever its mean and scale: to
the latter a cloud that has collapsed to a tiny Gaussian is perfectly normal.

    test = NORMALITY_TESTS["anderson_darling"]
    test.evidence(projections)                                    # larger is less normal, and a loss
    null = null_scores(test, 128, 10_000, generator=seeded(0))    # what healthy samples give
    p_value(test, projections, null=null)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_generator, check_positive_integer
from lewm_lite.objectives.empirical_distribution import anderson_darling, cramer_von_mises, kolmogorov_smirnov
from lewm_lite.objectives.moments import jarque_bera, low_moments, standardised
from lewm_lite.objectives.shapiro_wilk import shapiro_wilk
from lewm_lite.objectives.sigreg import epps_pulley

Statistic = Callable[[Tensor], Tensor]  # (*leading, samples, num_directions) -> (*leading, num_directions)
_NULL_CHUNK = 1 << 20  # numbers drawn at once


@dataclass(frozen=True)
class NormalityTest:
    """One test: which question it asks, its statistic, and where that has a gradient.

    ``"almost everywhere"`` means kinks, where two samples pass each other.
    """

    name: str  # its key in NORMALITY_TESTS
    title: str
    against: Literal["standard", "any"]  # N(0, 1), or any normal law
    statistic: Statistic
    gradient: Literal["everywhere", "almost everywhere"]
    scipy_p_value: Callable[[object], float] | None = None  # of one sample, a numpy array (samples,)
    small_is_bad: bool = False  # the statistic of a normal sample is the larger one, and at most 1

    def evidence(self, projections: Tensor) -> Tensor:
        """The statistic so that larger is less normal: ``(*leading, samples, K) -> (*leading, K)``.

        It is >= 0 but for rounding: Shapiro and Wilk's W may come out above 1 by as much as that.
        """
        found = self.statistic(projections)
        return 1 - found if self.small_is_bad else found


def of_any_normal(statistic: Statistic) -> Statistic:
    """The same question without mean and scale: the statistic of the sample standardised first."""

    def asked(projections: Tensor) -> Tensor:
        return statistic(standardised(projections))

    asked.__name__ = f"{statistic.__name__}_any"
    return asked


def null_scores(test: NormalityTest, num_samples: int, repeats: int = 10_000, *, generator: torch.Generator) -> Tensor:
    """The evidence of ``repeats`` samples of N(0, 1), smallest first: ``(repeats,)`` in float64.

    Their 95 % quantile is the level that 5 in 100 healthy samples pass. A test against any normal law has one null for
    all of them, this one.

    Raises:
        ValueError: sizes that are no positive integers. TypeError: no generator.
    """
    check_positive_integer("num_samples", num_samples, minimum=3)
    check_positive_integer("repeats", repeats)
    check_generator(generator)
    at_once = max(1, _NULL_CHUNK // num_samples)
    found = []
    for first in range(0, repeats, at_once):
        wanted = min(at_once, repeats - first)
        found.append(test.evidence(torch.randn(num_samples, wanted, generator=generator, dtype=torch.float64)))
    return torch.cat(found).sort().values


def p_value(test: NormalityTest, projections: Tensor, *, null: Tensor | None = None) -> Tensor:
    """How often a healthy sample would look at least as bad.

    Args:
        test: one of NORMALITY_TESTS.
        projections: ``(*leading, samples, num_directions)``.
        null: from :func:`null_scores`, at the same number of samples. Without it SciPy answers, for the tests whose
            law it knows: exactly for Kolmogorov-Smirnov, nearly for Cramér-von Mises and Shapiro-Wilk, and for
            Jarque-Bera and the low moments by their limit, which is far off below some hundreds of samples.
    Returns:
        ``(*leading, num_directions)``; with a null of n scores at least 1 / (n + 1).
    Raises:
        ValueError: no ``null`` for a test whose law SciPy does not know. ShapeError: a ``null`` that is no vector.
        And what the test's own statistic refuses: shapes, integers, NaN, too few samples.
    """
    if null is None:
        test.statistic(projections.detach() if isinstance(projections, Tensor) else projections)  # for what it refuses
        if test.scipy_p_value is None:
            raise ValueError(
                f"SciPy does not know the law of {test.name!r}: "
                f"give null=null_scores(test, {projections.shape[-2]}, generator=...)"
            )
        columns = projections.detach().double().cpu().mT
        found = [test.scipy_p_value(column.numpy()) for column in columns.reshape(-1, columns.shape[-1])]
        return torch.tensor(found, dtype=torch.float64).reshape(columns.shape[:-1])
    if null.ndim != 1 or len(null) == 0:
        raise ShapeError(f"null must be a vector of scores, from null_scores, got shape {tuple(null.shape)}")
    evidence = test.evidence(projections).detach().to(null).contiguous()
    as_bad = len(null) - torch.searchsorted(null.sort().values, evidence)
    return (as_bad + 1).double() / (len(null) + 1)


def _by_scipy(test: str) -> Callable[[object], float]:
    def asked(sample: object) -> float:
        from scipy import stats

        return {
            "kolmogorov_smirnov": lambda: stats.kstest(sample, "norm").pvalue,
            "cramer_von_mises": lambda: stats.cramervonmises(sample, "norm").pvalue,
            "shapiro_wilk": lambda: stats.shapiro(sample).pvalue,
            "jarque_bera": lambda: stats.jarque_bera(sample).pvalue,
            "low_moments": lambda: stats.chi2.sf(low_moments(torch.as_tensor(sample)[:, None]).item(), 4),
        }[test]()

    return asked


def _both(name: str, title: str, title_any: str, statistic: Statistic, gradient: str) -> tuple[NormalityTest, ...]:
    known = _by_scipy(name) if name in ("kolmogorov_smirnov", "cramer_von_mises") else None
    return (
        NormalityTest(name, title, "standard", statistic, gradient, known),
        NormalityTest(f"{name}_any", title_any, "any", of_any_normal(statistic), gradient),
    )


_KINKED = "almost everywhere"
NORMALITY_TESTS: dict[str, NormalityTest] = {
    test.name: test
    for test in (
        *_both("kolmogorov_smirnov", "Kolmogorov–Smirnov", "Lilliefors", kolmogorov_smirnov, _KINKED),
        *_both("cramer_von_mises", "Cramér–von Mises", "Cramér–von Mises, any normal", cramer_von_mises, _KINKED),
        *_both("anderson_darling", "Anderson–Darling", "Anderson–Darling, any normal", anderson_darling, _KINKED),
        NormalityTest(
            "shapiro_wilk", "Shapiro–Wilk", "any", shapiro_wilk, _KINKED, _by_scipy("shapiro_wilk"), small_is_bad=True
        ),
        NormalityTest("low_moments", "low moments", "standard", low_moments, "everywhere", _by_scipy("low_moments")),
        NormalityTest("jarque_bera", "Jarque–Bera", "any", jarque_bera, "everywhere", _by_scipy("jarque_bera")),
        *_both("epps_pulley", "Epps–Pulley", "Epps–Pulley, any normal", epps_pulley, "everywhere"),
    )
}
