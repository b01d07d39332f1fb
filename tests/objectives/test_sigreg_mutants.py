"""Broken variants of SIGReg, each of which a small list of laws must catch, while the library obeys every law.

A law takes an implementation and says whether it is obeyed. The variants are made from one direct formula by replacing
one piece, so that a caught variant is caught for its fault: the formula with no piece replaced obeys every law as well.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from lewm_lite import random_directions, seeded, sigreg


class Implementation(NamedTuple):
    score: Callable[..., Tensor]  # (embeddings, directions, *, knots=17, t_max=3.0) -> scalar
    draw: Callable[..., Tensor]  # (dim, num_directions, *, generator) -> (dim, num_directions)


def cloud(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def compass(dim, num_directions, *, seed=100):
    columns = cloud(dim, num_directions, seed=seed)
    return columns / columns.norm(dim=0)


# The formula in pieces


def half_line(knots, t_max):
    return torch.linspace(0, t_max, knots, dtype=torch.float64)


def bell(t):
    return torch.exp(-(t**2) / 2)


def trapezoid(t):
    steps = torch.full_like(t, (t[1] - t[0]).item())
    steps[0] /= 2
    steps[-1] /= 2
    return steps


def folded_trapezoid(t):
    return 2 * trapezoid(t)


def simpson(t):
    steps = torch.full_like(t, 2 / 3)
    steps[1::2] = 4 / 3
    steps[0] = steps[-1] = 1 / 3
    return 2 * (t[1] - t[0]) * steps


def unit_columns(dim, num_directions, *, generator):
    columns = torch.randn(dim, num_directions, generator=generator)
    return columns / columns.norm(dim=0)


def made_of(
    *,
    prepared=lambda embeddings: embeddings,
    grid=half_line,
    average=lambda waves: waves.mean(-3),  # (*leading, samples, num_directions, knots): over the samples
    target=bell,
    gap=lambda real, imaginary, normal: (real - normal) ** 2 + imaginary**2,
    weights=folded_trapezoid,
    window=bell,
    scaled=lambda statistics, num_samples: num_samples * statistics,
    pooled=Tensor.mean,
    draw=unit_columns,
):
    def score(embeddings, directions, *, knots=17, t_max=3.0):
        embeddings = prepared(embeddings)
        t = grid(knots, t_max)
        angles = (embeddings @ directions)[..., None] * t
        distance = gap(average(angles.cos()), average(angles.sin()), target(t))
        statistics = (distance * (weights(t) * window(t))).sum(-1)
        return pooled(scaled(statistics, embeddings.shape[-2]))

    return Implementation(score, draw)


LIBRARY = Implementation(sigreg, random_directions)
DIRECT_FORMULA = made_of()


# The laws


def kernel_form(samples, *, knots, t_max):
    """The statistic of one shadow ``(samples,)`` as a double sum over its pairs: no average before the square."""
    dt = t_max / (knots - 1)
    pairs = with_normal = constant = 0.0
    for k in range(knots):
        normal = math.exp(-((k * dt) ** 2) / 2)
        weight = (dt if k in (0, knots - 1) else 2 * dt) * normal
        pairs = pairs + weight * torch.cos(k * dt * (samples[:, None] - samples[None, :])).mean()
        with_normal = with_normal + weight * normal * torch.cos(k * dt * samples).mean()
        constant = constant + weight * normal**2
    return len(samples) * (pairs - 2 * with_normal + constant)


def by_kernel_form(embeddings, directions, *, knots=17, t_max=3.0):
    shadows = (embeddings @ directions).mT.flatten(0, -2)
    return torch.stack([kernel_form(shadow, knots=knots, t_max=t_max) for shadow in shadows]).mean()


def close(actual, expected, tolerance):
    error = torch.as_tensor(actual - expected).abs().max()
    return bool(error <= tolerance * torch.as_tensor(expected).abs().max())


def lopsided_clips():
    return 0.7 * cloud(2, 7, 3) + 0.4, compass(3, 4)


def gradient(score, embeddings, directions):
    embeddings = embeddings.clone().requires_grad_()
    connected = score(embeddings, directions) + 0 * embeddings.sum()  # zeros, not an error, where nothing flows
    return torch.autograd.grad(connected, embeddings)[0]


def agrees_with_the_kernel_form(implementation):
    clips, directions = lopsided_clips()
    return all(
        close(
            implementation.score(clips, directions, knots=knots, t_max=t_max),
            by_kernel_form(clips, directions, knots=knots, t_max=t_max),
            1e-10,
        )
        for knots, t_max in [(17, 3.0), (5, 3.0), (17, 1.0)]
    )


def has_the_gradient_of_the_kernel_form(implementation):
    clips, directions = lopsided_clips()
    actual, expected = gradient(implementation.score, clips, directions), gradient(by_kernel_form, clips, directions)
    return close(actual, expected, 1e-10)


def scores_0_40205_n_when_collapsed_at_zero(implementation):
    scores = [implementation.score(torch.zeros(n, 5).double(), compass(5, 7)).item() / n for n in (2, 16, 128)]
    return all(abs(score - 0.40205) < 5e-6 for score in scores)


def scores_about_1_05_when_normal(implementation):
    """The exact mean is 1.0525; over 400 batches of 16 shadows, four standard errors are less than 0.06."""
    directions = compass(32, 16)
    means = [implementation.score(cloud(400, n, 32, seed=n), directions).item() for n in (8, 24)]
    return all(abs(mean - 1.0525) < 0.06 for mean in means)


def asks_for_unit_variance(implementation):
    """The exact means at 128 samples are 19.81 for half the width and 31.88 for twice the width."""
    batches, directions = cloud(48, 128, 32), compass(32, 16)
    narrow, wide = (implementation.score(std * batches, directions).item() for std in (0.5, 2.0))
    return abs(narrow - 19.81) < 0.8 and abs(wide - 31.88) < 1.3


def asks_for_zero_mean(implementation):
    batch, directions = cloud(128, 4), compass(4, 16)
    centred = batch - batch.mean(0)
    return bool(implementation.score(centred + 0.5, directions) > implementation.score(centred, directions) + 5)


def pushes_a_narrow_cloud_out_and_pulls_a_wide_one_in(implementation):
    centred, directions = cloud(64, 4) - cloud(64, 4).mean(0), compass(4, 16)
    outward = [-(gradient(implementation.score, std * centred, directions) * centred).sum().item() for std in (0.5, 2)]
    return outward[0] > 0.1 and outward[1] < -0.1


def moves_every_sample(implementation):
    clips, directions = lopsided_clips()
    return bool((gradient(implementation.score, clips, directions).norm(dim=-1) > 0).all())


def scores_each_step_alone(implementation):
    clips, directions = cloud(3, 12, 4) * torch.tensor([0.0, 0.5, 2.0])[:, None, None], compass(4, 6)
    steps = torch.stack([implementation.score(step, directions) for step in clips])
    return close(implementation.score(clips, directions), steps.mean(), 1e-12)


def does_not_depend_on_how_many_equal_directions_there_are(implementation):
    batch, directions = cloud(12, 4), compass(4, 6)
    once, thrice = implementation.score(batch, directions), implementation.score(batch, directions.repeat(1, 3))
    return close(thrice, once, 1e-12)


def draws_unit_columns(implementation):
    directions = implementation.draw(5, 40, generator=seeded(0))
    return directions.shape == (5, 40) and close(directions.norm(dim=0), torch.ones(40), 1e-6)


def draws_from_the_generator(implementation):
    generator = seeded(0)
    first, second = (implementation.draw(5, 40, generator=generator) for _ in range(2))
    return torch.equal(first, implementation.draw(5, 40, generator=seeded(0))) and not torch.equal(first, second)


def draws_uniformly(implementation):
    """First, second and fourth moments of a coordinate, and no two coordinates tied; within about five errors."""
    dim, count = 3, 20_000
    directions = implementation.draw(dim, count, generator=seeded(0)).double()
    return (
        directions.mean(1).abs().max() < 0.02
        and (directions @ directions.T / count - torch.eye(dim) / dim).abs().max() < 0.011
        and ((directions**4).mean(1) - 3 / (dim * (dim + 2))).abs().max() < 0.01
    )


LAWS = [
    agrees_with_the_kernel_form,
    has_the_gradient_of_the_kernel_form,
    scores_0_40205_n_when_collapsed_at_zero,
    scores_about_1_05_when_normal,
    asks_for_unit_variance,
    asks_for_zero_mean,
    pushes_a_narrow_cloud_out_and_pulls_a_wide_one_in,
    moves_every_sample,
    scores_each_step_alone,
    does_not_depend_on_how_many_equal_directions_there_are,
    draws_unit_columns,
    draws_from_the_generator,
    draws_uniformly,
]


# The mutants


def centred(embeddings):
    return embeddings - embeddings.mean(-2, keepdim=True)


def standardised(embeddings):
    return centred(embeddings) / (embeddings.std(-2, keepdim=True) + 1e-12)


def first_sample_only(embeddings):
    return torch.cat([embeddings[..., :1, :], embeddings[..., 1:, :].detach()], -2)


def time_for_batch(embeddings):
    return embeddings.transpose(0, 1) if embeddings.ndim == 3 else embeddings


def over_plain_gaussians(dim, num_directions, *, generator):
    return torch.randn(dim, num_directions, generator=generator)


def over_unit_rows(dim, num_directions, *, generator):
    rows = torch.randn(dim, num_directions, generator=generator)
    return rows / rows.norm(dim=1, keepdim=True)


def over_a_cube(dim, num_directions, *, generator):
    columns = 2 * torch.rand(dim, num_directions, generator=generator) - 1
    return columns / columns.norm(dim=0)


def over_one_orthant(dim, num_directions, *, generator):
    return unit_columns(dim, num_directions, generator=generator).abs()


def over_the_axes(dim, num_directions, *, generator):
    axes = torch.randint(dim, (num_directions,), generator=generator)
    signs = 2.0 * torch.randint(2, (num_directions,), generator=generator) - 1
    return torch.nn.functional.one_hot(axes, dim).T * signs


def over_the_same_always(dim, num_directions, *, generator):
    return unit_columns(dim, num_directions, generator=seeded(0))


MUTANTS = {
    # the scale
    "factor N missing": made_of(scaled=lambda statistics, n: statistics),
    "factor N - 1": made_of(scaled=lambda statistics, n: (n - 1) * statistics),
    "square root of N": made_of(scaled=lambda statistics, n: math.sqrt(n) * statistics),
    "divided by sqrt(2 pi)": made_of(scaled=lambda statistics, n: n * statistics / math.sqrt(2 * math.pi)),
    "square root of the statistic": made_of(scaled=lambda statistics, n: n * statistics.sqrt()),
    # the axes
    "directions averaged in place of samples": made_of(average=lambda waves: waves.mean(-2)),
    "time and batch swapped": made_of(prepared=time_for_batch),
    "steps pooled into one sample": made_of(prepared=lambda embeddings: embeddings.flatten(0, -2)),
    "sum over directions": made_of(pooled=lambda statistics: statistics.sum(-1).mean()),
    "sum over steps": made_of(pooled=lambda statistics: statistics.mean(-1).sum()),
    "largest over directions": made_of(pooled=lambda statistics: statistics.amax(-1).mean()),
    "median over directions": made_of(pooled=lambda statistics: statistics.median(-1).values.mean()),
    # the quadrature
    "ends not halved": made_of(weights=lambda t: torch.full_like(t, 2 * (t[1] - t[0]).item())),
    "end at zero halved only": made_of(weights=lambda t: 2 * torch.cat([trapezoid(t)[:-1], trapezoid(t)[1:2]])),
    "not doubled": made_of(weights=trapezoid),
    "step taken as t_max / knots": made_of(weights=lambda t: folded_trapezoid(t) * (len(t) - 1) / len(t)),
    "step missing": made_of(weights=lambda t: folded_trapezoid(t) / (t[1] - t[0])),
    "Simpson's rule": made_of(weights=simpson),
    "knots on [0.2, 4]": made_of(grid=lambda knots, t_max: torch.linspace(0.2, 4, knots).double()),
    "knots on [-5, 5]": made_of(grid=lambda knots, t_max: torch.linspace(-5, 5, knots).double(), weights=trapezoid),
    "knots on [-3, 3]": made_of(grid=lambda knots, t_max: torch.linspace(-3, 3, knots).double(), weights=trapezoid),
    "knots one short": made_of(grid=lambda knots, t_max: half_line(knots - 1, t_max)),
    "last knot left out": made_of(grid=lambda knots, t_max: half_line(knots + 1, t_max)[:-1]),
    "number of knots ignored": made_of(grid=lambda knots, t_max: half_line(17, t_max)),
    "t_max ignored": made_of(grid=lambda knots, t_max: half_line(knots, 3.0)),
    # the window and the target
    "window missing": made_of(window=torch.ones_like),
    "window exp(-t^2)": made_of(window=lambda t: torch.exp(-(t**2))),
    "window exp(-|t|)": made_of(window=lambda t: torch.exp(-t)),
    "target exp(-t^2)": made_of(target=lambda t: torch.exp(-(t**2))),
    "target missing": made_of(target=torch.zeros_like),
    "target one knot late": made_of(target=lambda t: bell(t + t[1])),
    # the distance
    "imaginary part missing": made_of(gap=lambda real, imaginary, normal: (real - normal) ** 2),
    "imaginary part subtracted": made_of(gap=lambda real, imaginary, normal: (real - normal) ** 2 - imaginary**2),
    "imaginary part compared too": made_of(gap=lambda r, i, normal: (r - normal) ** 2 + (i - normal) ** 2),
    "real part missing": made_of(gap=lambda real, imaginary, normal: imaginary**2),
    "real part with the wrong sign": made_of(gap=lambda real, imaginary, normal: (real + normal) ** 2 + imaginary**2),
    "not squared": made_of(gap=lambda r, i, normal: ((r - normal) ** 2 + i**2 + 1e-12).sqrt()),
    "moduli compared": made_of(gap=lambda r, i, normal: ((r**2 + i**2 + 1e-12).sqrt() - normal) ** 2),
    # the samples
    "squared before averaging": made_of(
        average=lambda waves: waves, gap=lambda r, i, normal: ((r - normal) ** 2 + i**2).mean(-3)
    ),
    "mean with 1 / (N - 1)": made_of(average=lambda waves: waves.sum(-3) / (waves.shape[-3] - 1)),
    "last sample forgotten": made_of(average=lambda waves: waves[..., :-1, :, :].mean(-3)),
    "samples centred first": made_of(prepared=centred),
    "samples standardised first": made_of(prepared=standardised),
    "samples brought to unit length first": made_of(prepared=lambda z: torch.nn.functional.normalize(z, dim=-1)),
    "samples rounded to bfloat16": made_of(prepared=lambda embeddings: embeddings.bfloat16().double()),
    # the gradient, behind a right value
    "no gradient": made_of(prepared=Tensor.detach),
    "gradient to the first sample only": made_of(prepared=first_sample_only),
    "gradient of the wrong sign": made_of(prepared=lambda embeddings: 2 * embeddings.detach() - embeddings),
    "gradient without the imaginary part": made_of(gap=lambda r, i, normal: (r - normal) ** 2 + i.detach() ** 2),
    "gradient without the real part": made_of(gap=lambda r, i, normal: (r.detach() - normal) ** 2 + i**2),
    # the directions
    "directions not of unit length": made_of(draw=over_plain_gaussians),
    "rows of unit length": made_of(draw=over_unit_rows),
    "directions from a cube": made_of(draw=over_a_cube),
    "directions from one orthant": made_of(draw=over_one_orthant),
    "directions along the axes": made_of(draw=over_the_axes),
    "the same directions always": made_of(draw=over_the_same_always),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("implementation", [LIBRARY, DIRECT_FORMULA], ids=["the library", "the direct formula"])
def test_the_law_holds(implementation, law):
    assert law(implementation)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_mutant_is_caught(name):
    assert not all(law(MUTANTS[name]) for law in LAWS), f"the mutant survives every law: {name}"


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_law_catches_a_mutant(law):
    assert not all(law(mutant) for mutant in MUTANTS.values()), f"no mutant breaks the law {law.__name__}"
