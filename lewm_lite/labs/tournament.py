"""What the test tournament computes: six tests judge fresh clouds, and each pushes a cloud of its own down its slope.

The judging says how good a test is, the pushing how good a loss: both are the tests of
:mod:`lewm_lite.objectives.normality` and their gradients, averaged over the same directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.labs.dead_dimensions import WINDOW, read_scores
from lewm_lite.labs.noise import pick_normal
from lewm_lite.objectives.empirical_distribution import ranks
from lewm_lite.objectives.moments import standardised
from lewm_lite.objectives.normality import NORMALITY_TESTS, Statistic
from lewm_lite.objectives.shapiro_wilk import royston_weights, shapiro_wilk
from lewm_lite.seeding import seeded

# Slot -> the test against N(0, 1), and against any normal law, which is the same of the sample standardised first.
# Shapiro and Wilk know the second question only.
SLOTS = {
    "kolmogorov_smirnov": ("kolmogorov_smirnov", "kolmogorov_smirnov_any"),
    "cramer_von_mises": ("cramer_von_mises", "cramer_von_mises_any"),
    "anderson_darling": ("anderson_darling", "anderson_darling_any"),
    "shapiro_wilk": ("shapiro_wilk", "shapiro_wilk"),
    "moments": ("low_moments", "jarque_bera"),
    "epps_pulley": ("epps_pulley", "epps_pulley_any"),
}
AGAINST = ("standard", "any")
SEEDS = 8
REACH = 0.05  # the most that a cloud's points move in one step, root mean square, in standard deviations of N(0, I)
FALSE_ALARMS = 5.0  # percent


def _far(noise: Tensor) -> Tensor:
    """One point in ten sits in a clump eight standard deviations away."""
    away = torch.tensor([8.0, 0.0], dtype=noise.dtype)
    return torch.where(noise[..., -1:] > 1.2816, away + 0.2 * noise[..., :-1], noise[..., :-1])


SICK: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "clumps": ("two clumps", clouds.clumps),
    "line": ("line", clouds.line),
    "ring": ("ring", clouds.ring),
    "heavy_tailed": ("heavy tails", clouds.heavy_tailed),
    "far": ("one in ten far away", _far),
    "shifted": ("Gaussian, shifted", lambda noise: clouds.isotropic(noise) + 1.0),
    "small": ("Gaussian, small", lambda noise: 0.3 * clouds.isotropic(noise)),
    "point": ("Gaussian, collapsed", clouds.point),
    "isotropic": ("standard Gaussian", clouds.isotropic),
}


def players(against: Tensor, weights: Tensor, statistic: Statistic | None = None) -> dict[str, Statistic]:
    """What each of the six tests says of shadows, ``(*leading, samples, K) -> (*leading, K)``, larger for less normal.

    Args:
        against: one-hot over AGAINST. weights: ``(samples,)``, Royston's, which an exported graph is given.
        statistic: plays in Epps-Pulley's place, if given.
    """

    def evidence(name: str) -> Statistic:
        test = NORMALITY_TESTS[name]
        if name == "shapiro_wilk":
            return replace(test, statistic=partial(shapiro_wilk, weights=weights)).evidence
        # The moments take a standard deviation over N where the others take it over N - 1.
        correction = 0 if name == "low_moments" else 1
        found = statistic if statistic is not None and name == "epps_pulley" else test.evidence

        def asked(shadows: Tensor) -> Tensor:
            return found(torch.where(against[1] > 0.5, standardised(shadows, correction=correction), shadows))

        return asked

    return {slot: evidence(standard) for slot, (standard, _) in SLOTS.items()}


def sick_cloud(noise: Tensor, chosen: Tensor, dose: Tensor) -> Tensor:
    """``(samples, 2)``: a shape, one-hot over SICK, times the dose, and Gaussian noise for the rest of the variance."""
    made = torch.stack([shape(noise[:, :3]) for _, shape in SICK.values()])
    rest = torch.sqrt((1 - dose * dose).clamp_min(0))
    return dose * (chosen[:, None, None] * made).sum(0) + rest * noise[:, 3:]


def draw(
    table: Tensor, sample_rows: Tensor, direction_rows: Tensor, seed: Tensor, repeat: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A repeat's fresh healthy cloud ``(samples, 2)``, noise for a sick one ``(samples, 5)``, and unit directions."""
    first = (repeat.round() * SEEDS + seed) * 3  # three keys that no other repeat and no other seed has
    directions = pick_normal(table, direction_rows, 2, key=first + 2)
    directions = (directions / directions.square().sum(1, keepdim=True).sqrt()).mT
    return pick_normal(table, sample_rows, 2, key=first), pick_normal(table, sample_rows, 5, key=first + 1), directions


def judge(tests: Mapping[str, Statistic], cloud: Tensor, directions: Tensor) -> Tensor:
    """``(*leading, samples, 2)`` -> ``(tests, *leading)``: each test's evidence, averaged over directions."""
    shadows = cloud @ directions
    return torch.stack([test(shadows).mean(-1) for test in tests.values()])


def pushes(tests: Mapping[str, Statistic], points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Each test's evidence of its own cloud, ``(tests,)``, and its gradient, of the shape of ``points``.

    Args:
        points: ``(samples, tests, 2)``.
    """

    def evidence(points: Tensor) -> tuple[Tensor, Tensor]:
        shadows = torch.einsum("ntd,dk->tnk", points, directions)
        found = torch.stack([test(own).mean() for test, own in zip(tests.values(), shadows, strict=True)])
        return found.sum(), found

    slope, found = torch.func.grad(evidence, has_aux=True)(points)
    return found, slope


def downhill(slope: Tensor, evidence: Tensor) -> Tensor:
    """Each cloud's step down its slope, as far as would bring the evidence to 0 if the slope went on, at most REACH.

    Args:
        slope: ``(samples, tests, 2)``. evidence: ``(tests,)``, >= 0.
    Source:
        Polyak 1969: a step that needs no rate, so that tests of different units can be compared.
    """
    size = slope.square().sum((0, 2)).sqrt().clamp_min(1e-30)
    length = (evidence / size).clamp_max(REACH * slope.shape[0] ** 0.5)
    return -(length / size)[:, None] * slope


def carried_by(slope: Tensor) -> Tensor:
    r"""``(samples, tests, 2)`` -> ``(tests,)``: the share of points that carry the push, 1 if all are pushed alike.

    It is $(\sum_n |g_n|^2)^2 / (N \sum_n |g_n|^4)$: if one point in ten is pushed, and all of those alike, a tenth.
    """
    lengths = slope.square().sum(2)
    lengths = lengths / lengths.amax(0).clamp_min(1e-30)
    return lengths.sum(0).square() / (slope.shape[0] * lengths.square().sum(0)).clamp_min(1e-30)


def distance_from_normal(cloud: Tensor, directions: Tensor, weights: Tensor) -> Tensor:
    """How far the points of each shadow are from where a normal sample's lie, root mean square over all shadows.

    Args:
        cloud: ``(*leading, samples, 2)``. directions: ``(2, num_directions)``.
        weights: ``(samples,)``, Royston's, which lie where a normal sample of unit length does.
    Returns:
        ``(*leading,)``, in standard deviations of N(0, I). No player is made of it.
    """
    shadows = cloud @ directions
    places = weights[ranks(shadows).long() - 1] * weights.shape[0] ** 0.5
    return (shadows - places).square().mean((-2, -1)).sqrt()


def healthy_distance(num_samples: int, around: Tensor) -> Tensor:
    """``(1,)``: the mean :func:`distance_from_normal` of standard Gaussian clouds of so many points."""
    sample = torch.randn(400, num_samples, 2, generator=seeded(num_samples))
    return distance_from_normal(sample, around.mT, royston_weights(num_samples).float()).mean()[None]


def read_power(null_scores: Tensor, sick_scores: Tensor, repeats: Tensor) -> Tensor:
    """``(tests, WINDOW)`` each -> ``(tests,)``: the share of sick clouds over the line that 5 % of the healthy pass."""
    alarms = torch.full_like(repeats, FALSE_ALARMS)
    rows = zip(null_scores.unbind(0), sick_scores.unbind(0), strict=True)
    return torch.stack([read_scores(null, sick, repeats, alarms)["power"] for null, sick in rows])


def write_down(scores: Tensor, new: Tensor, repeats: Tensor) -> Tensor:
    """``(tests, WINDOW)`` with the newest scores ``(tests,)`` in the next place, or in the oldest one's."""
    here = torch.arange(WINDOW, device=scores.device) == repeats.round() % WINDOW
    return torch.where(here, new[:, None], scores)
