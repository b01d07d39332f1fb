"""Each public form equals its own formula, written here from the facts; a weight converts, or it is said why not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from lewm_lite import random_directions, seeded, sigreg
from lewm_lite.objectives.conventions import (
    CONVENTIONS,
    DEVIATIONS,
    conventional_sigreg,
    convert_weight,
    seen,
)

VIEWS, SAMPLES, DIM = 3, 24, 6
OURS = CONVENTIONS["lewm code"]


def several_views(dtype=torch.float64):
    """Views that differ in place and width, so that pooling them is not the same as not."""
    noise = torch.randn(VIEWS, SAMPLES, DIM, generator=seeded(0), dtype=torch.float64)
    places = torch.tensor([-0.7, 0.1, 0.6], dtype=torch.float64)[:, None, None]
    return (torch.tensor([0.5, 1.0, 1.3], dtype=torch.float64)[:, None, None] * noise + places).to(dtype)


def some_directions():
    directions = random_directions(DIM, 10, generator=seeded(1)).double()
    return directions / directions.norm(dim=0)


def over_a_whole_line(embeddings, directions, t, *, factor):
    """With complex exponentials and torch's trapezoid rule over all of a grid: ``(views, samples, dim)``."""
    scores = []
    for view in embeddings:
        waves = torch.exp(1j * (view @ directions)[:, :, None] * t).mean(0)  # (directions, knots)
        gap = (waves - torch.exp(-(t**2) / 2)).abs() ** 2 * torch.exp(-(t**2) / 2)
        scores.append(factor * torch.trapezoid(gap, t, dim=-1).mean())
    return torch.stack(scores).mean()


def over_half_a_line(embeddings, directions):
    """With cosines and sines on 17 knots of [0, 3], weights 2 dt inside and dt at both ends, times N."""
    t, dt = torch.linspace(0, 3, 17, dtype=torch.float64), 3 / 16
    weights = torch.tensor([dt] + 15 * [2 * dt] + [dt], dtype=torch.float64) * torch.exp(-(t**2) / 2)
    angles = (embeddings @ directions).unsqueeze(-1) * t
    real, imaginary = angles.cos().mean(-3), angles.sin().mean(-3)
    gap = (real - torch.exp(-(t**2) / 2)).square() + imaginary.square()
    return (gap @ weights).mean() * embeddings.shape[-2]


def line(first, last, knots):
    return torch.linspace(first, last, knots, dtype=torch.float64)


DIRECT = {
    "lejepa paper": lambda z, r: over_a_whole_line(z, r, line(-5, 5, 17), factor=z.shape[1]),
    "lejepa minimal": over_half_a_line,
    "lejepa package": over_half_a_line,
    "stable-pretraining": lambda z, r: over_half_a_line(z.reshape(-1, DIM), r),
    "lightly": over_half_a_line,
    "lewm paper": lambda z, r: over_a_whole_line(z, r, line(0.2, 4, 17), factor=1),
    "lewm code": over_half_a_line,
    "lewm-rs": over_half_a_line,
    "eb_jepa": lambda z, r: over_a_whole_line(z, r, line(-3, 3, 10), factor=1),
}
each_form = pytest.mark.parametrize("name", CONVENTIONS)


def test_there_are_nine_forms_and_each_has_its_own_formula_here():
    assert list(CONVENTIONS) == list(DIRECT)
    assert all(form.name == name and form.source for name, form in CONVENTIONS.items())


@each_form
def test_value_and_gradient_are_those_of_the_formula_in_that_code(name):
    def both(score, embeddings):
        embeddings = embeddings.clone().requires_grad_()
        value = score(embeddings)
        return value.detach(), torch.autograd.grad(value, embeddings)[0]

    directions = some_directions()
    value, gradient = both(lambda z: DIRECT[name](z, directions), several_views())
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-5)):
        found, slope = both(
            lambda z: conventional_sigreg(z, directions.to(z.dtype), CONVENTIONS[name]), several_views(dtype)
        )
        assert abs(found - value) <= tolerance * value
        assert (slope - gradient).abs().max() <= tolerance * gradient.abs().max()


def test_the_forms_differ_where_they_should():
    scores = {name: DIRECT[name](several_views(), some_directions()).item() for name in DIRECT}
    halves = {name for name in scores if math.isclose(scores[name], scores["lewm code"], rel_tol=1e-9)}
    assert halves == {"lejepa minimal", "lejepa package", "lightly", "lewm code", "lewm-rs"}
    assert scores["stable-pretraining"] != pytest.approx(scores["lewm code"], rel=0.05)  # pooled
    assert scores["lejepa paper"] == pytest.approx(scores["lewm code"], rel=0.05)
    assert SAMPLES * scores["eb_jepa"] == pytest.approx(scores["lewm code"], rel=0.05)
    assert SAMPLES * scores["lewm paper"] < 0.7 * scores["lewm code"]  # half a line, counted once


def test_ours_is_the_lewm_code():
    embeddings, directions = several_views(torch.float32), some_directions().float()
    assert torch.allclose(conventional_sigreg(embeddings, directions, OURS), sigreg(embeddings, directions))


def test_the_knots_are_described_in_words():
    assert OURS.described() == "17 on [0, 3], doubled"
    assert CONVENTIONS["lewm paper"].described() == "17 on [0.2, 4]"


def test_half_precision_is_computed_in_float32():
    embeddings, directions = several_views(torch.bfloat16), some_directions().float()
    assert conventional_sigreg(embeddings, directions, OURS) == sigreg(embeddings, directions)


# --------------------------------------------------------------------------------------------------------- conversion


def gradient_of_the_loss(weight, form, embeddings, directions):
    """Of prediction and SIGReg together, as the form weighs them; the prediction is a stand-in, the mean of z²."""
    embeddings = embeddings.clone().requires_grad_()
    score = weight * conventional_sigreg(embeddings, directions, form)
    share = 1 - weight if form.weighting == "convex" else 1
    return torch.autograd.grad(share * embeddings.square().mean() + score, embeddings)[0]


EXACT = [
    (OURS, CONVENTIONS["lejepa minimal"]),
    (CONVENTIONS["lejepa minimal"], OURS),
    (CONVENTIONS["lightly"], CONVENTIONS["lejepa minimal"]),
    (CONVENTIONS["lejepa package"], CONVENTIONS["lightly"]),
    (OURS, replace(OURS, times_samples=False)),
    (replace(OURS, times_samples=False, weighting="convex"), OURS),
]


@pytest.mark.parametrize(("source", "target"), EXACT)
def test_an_exact_conversion_keeps_the_direction_of_the_gradient_and_names_the_learning_rate(source, target):
    conversion = convert_weight(0.3, source=source, target=target, num_samples=SAMPLES)
    assert conversion.exact and conversion.between == (conversion.weight, conversion.weight)
    embeddings, directions = several_views(), some_directions()
    before = gradient_of_the_loss(0.3, source, embeddings, directions)
    after = gradient_of_the_loss(conversion.weight, target, embeddings, directions)
    torch.testing.assert_close(conversion.learning_rate * after, before)


def test_the_published_weights_meet_once_n_is_divided_out():
    converted = convert_weight(10.0, source=CONVENTIONS["eb_jepa"], target=OURS, num_samples=256)
    assert converted.weight == pytest.approx(10 / 256, rel=0.01)
    assert not converted.exact and "Other frequencies" in converted.words and "depends on the batch" in converted.words
    assert converted.between[0] <= converted.weight <= converted.between[1]


def test_a_weight_goes_there_and_back():
    for source in CONVENTIONS.values():
        for target in CONVENTIONS.values():
            there = convert_weight(0.07, source=source, target=target, num_samples=64, target_samples=256)
            if there.weight is None:
                continue
            back = convert_weight(there.weight, source=target, target=source, num_samples=256, target_samples=64)
            assert back.weight == pytest.approx(0.07, rel=1e-9)
            assert back.learning_rate == pytest.approx(1 / there.learning_rate, rel=1e-9)


def test_four_times_the_batch_asks_for_a_quarter_of_the_weight():
    converted = convert_weight(0.1, source=OURS, target=OURS, num_samples=128, target_samples=512)
    assert converted.weight == pytest.approx(0.025) and "λ·N is kept" in converted.words
    bare = replace(OURS, times_samples=False)
    assert convert_weight(0.1, source=bare, target=bare, num_samples=128, target_samples=512).weight == 0.1


@pytest.mark.parametrize("other", ["lewm code", "lightly", "eb_jepa"])
def test_a_pooled_sample_has_no_weight_in_separate_ones_and_says_why(other):
    pooled = CONVENTIONS["stable-pretraining"]
    for source, target in ((pooled, CONVENTIONS[other]), (CONVENTIONS[other], pooled)):
        refused = convert_weight(0.02, source=source, target=target, num_samples=128)
        assert refused.weight is None and not refused.exact
        assert f"that each {CONVENTIONS[other].sample} does" in refused.words
    to_caller = convert_weight(0.02, source=pooled, target=CONVENTIONS["lejepa package"], num_samples=128)
    assert to_caller.weight == 0.02 and to_caller.exact


def test_views_that_pass_together_and_fail_one_by_one_exist():
    whole = torch.randn(512, 1, generator=seeded(3), dtype=torch.float64).sort(0).values
    halves = whole.unflatten(0, (2, 256))  # the left half of a bell and the right half
    ahead = torch.ones(1, 1, dtype=torch.float64)
    assert conventional_sigreg(halves, ahead, CONVENTIONS["stable-pretraining"]) < 3
    assert conventional_sigreg(halves, ahead, OURS) > 30


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("a little too narrow", lambda z: 0.99 * z),
        ("a little off centre", lambda z: z + 0.01),
        ("collapsed to 0", lambda z: 0 * z),
    ],
)
@pytest.mark.parametrize("form", ["lejepa paper", "lewm paper", "eb_jepa"])
def test_what_a_form_sees_of_a_named_cloud_is_what_it_scores_there(name, cloud, form):
    probability = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    ideal = torch.special.ndtri(probability)[:, None]  # a normal sample without chance in it
    ahead = torch.ones(1, 1, dtype=torch.float64)
    bare, ours = (replace(CONVENTIONS[each], times_samples=False) for each in (form, "lewm code"))
    scored = conventional_sigreg(cloud(ideal), ahead, bare) / conventional_sigreg(cloud(ideal), ahead, ours)
    assert seen(bare, name) / seen(ours, name) == pytest.approx(scored.item(), rel=0.01)
    assert set(DEVIATIONS) == {"a little too narrow", "a little off centre", "collapsed to 0"}


@pytest.mark.parametrize("weight", [0, -1.0, math.nan, True])
def test_a_bad_weight_is_refused(weight):
    with pytest.raises(ValueError, match="weight must be"):
        convert_weight(weight, source=OURS, target=OURS, num_samples=128)


def test_a_convex_weight_of_one_and_a_sample_of_one_are_refused():
    with pytest.raises(ValueError, match="below 1 where it is convex, as in lightly"):
        convert_weight(1.0, source=CONVENTIONS["lightly"], target=OURS, num_samples=128)
    with pytest.raises(ValueError, match="num_samples must be an integer of at least 2"):
        convert_weight(0.1, source=OURS, target=OURS, num_samples=1)
    with pytest.raises(ValueError, match="target_samples must be an integer of at least 2"):
        convert_weight(0.1, source=OURS, target=OURS, num_samples=128, target_samples=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"knots": 1}, "knots must be an integer of at least 2, got 1"),
        ({"t_max": 0.0004}, "t_max must be a fraction with a denominator of at most 1000, got 0.0004"),
        ({"t_max": math.pi}, "t_max must be a fraction with a denominator of at most 1000, got 3.14159"),
        ({"t_min": math.nan}, "t_min must be a fraction with a denominator of at most 1000, got nan"),
        ({"t_max": math.inf}, "t_max must be a fraction with a denominator of at most 1000, got inf"),
        ({"t_min": 3, "t_max": 0}, "t_min must be below t_max, got t_min=3 and t_max=0"),
        ({"t_min": 3}, "t_min must be below t_max"),
    ],
    ids=str,
)
def test_a_grid_of_your_own_that_is_none_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        replace(OURS, **given)


def test_a_grid_of_your_own_ends_where_it_says():
    for own in (replace(OURS, t_max=2.999), replace(OURS, t_min=-1 / 3, t_max=0.125, knots=2)):
        frequencies, _, _ = own.grid(torch.zeros((), dtype=torch.float64))
        assert frequencies.max().item() == pytest.approx(max(-own.t_min, own.t_max), rel=1e-9)
