"""Linear probes: right on maps that are linear, honest on what was not fitted, and the same along principal axes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from without_float64 import on_accelerator

from lewm_lite import ShapeError, seeded
from lewm_lite.embeddings.principal import follow_axes
from lewm_lite.judging.probing import linear_probe, mlp_probe, probe_along_axes, probe_over_folds


def pairs(samples=400, dim=6, targets=3, noise=0.5, seed=0, scale=1.0):
    generator = seeded(seed)
    embeddings = torch.randn(samples, dim, generator=generator)
    mixing = torch.randn(dim, targets, generator=seeded(99))
    values = torch.tanh(embeddings @ mixing) + noise * torch.randn(samples, targets, generator=generator)
    return scale * embeddings + 2 * scale, values


def test_a_probe_is_least_squares_judged_on_other_samples():
    train, test = pairs(seed=1), pairs(seed=2)
    theirs = LinearRegression().fit(train[0].numpy(), train[1].numpy())
    wanted = theirs.score(test[0].numpy(), test[1].numpy())
    found = linear_probe(train, test)
    assert found.r2 == pytest.approx(wanted, abs=1e-4)
    assert found.r2 == pytest.approx(float(np.mean(found.per_target)))
    assert 0.3 < found.r2 < 0.95


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_probe_is_blind_to_scale(scale):
    plain = linear_probe(pairs(seed=1), pairs(seed=2)).r2
    assert linear_probe(pairs(seed=1, scale=scale), pairs(seed=2, scale=scale)).r2 == pytest.approx(plain, abs=1e-3)


def test_a_collapsed_cloud_tells_nothing():
    train, test = pairs(seed=1), pairs(seed=2)
    found = linear_probe((torch.full_like(train[0], 0.3), train[1]), (torch.full_like(test[0], 0.3), test[1]))
    assert found.r2 == pytest.approx(0, abs=0.05)


def test_noise_that_was_fitted_does_not_count():
    """60 features, 64 samples: on the fitted samples all is explained, on others nothing."""
    train, test = (
        (torch.randn(64, 60, generator=seeded(s)), torch.randn(64, 1, generator=seeded(s + 9))) for s in (1, 2)
    )
    assert linear_probe(train, test).r2 < 0
    assert linear_probe(train, train).r2 > 0.8


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ((torch.randn(10, 3), torch.randn(9, 2)), "train must be embeddings"),
        ((torch.randn(10, 4), torch.randn(10, 2)), "same widths"),
        ((torch.randn(10, 3), torch.randn(10, 1)), "same widths"),
        ((torch.randn(2, 10, 3), torch.randn(10, 2)), "train must be embeddings"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(train, words):
    with pytest.raises(ShapeError, match=words):
        linear_probe(train, (torch.randn(10, 3), torch.randn(10, 2)))


def test_nan_integers_and_a_constant_target_are_refused():
    good = (torch.randn(10, 3), torch.randn(10, 2))
    with pytest.raises(ValueError, match="test embeddings holds 1 NaN"):
        linear_probe(good, (good[0].index_put((torch.tensor(0), torch.tensor(0)), torch.tensor(float("nan"))), good[1]))
    with pytest.raises(TypeError, match="train targets must hold floating-point"):
        linear_probe((good[0], torch.ones(10, 2, dtype=torch.long)), good)
    with pytest.raises(ValueError, match="constant"):
        linear_probe(good, (good[0], torch.ones(10, 2)))


@pytest.mark.parametrize("dim", [2, 6, 16])
def test_along_settled_axes_the_probe_is_the_same(dim):
    generator = seeded(dim)
    embeddings = torch.randn(512, dim, generator=generator) * torch.logspace(0, -2, dim)
    targets = torch.tanh(embeddings[:, :2] * 2) + 0.2 * torch.randn(512, 2, generator=generator)
    axes = torch.eye(dim)[None]
    for _ in range(6):
        axes, seen = follow_axes(embeddings[None], axes)
    wanted = linear_probe((embeddings[:256], targets[:256]), (embeddings[256:], targets[256:])).r2
    assert probe_along_axes(seen, targets).item() == pytest.approx(wanted, abs=2e-3)
    assert wanted > 0.3


def test_along_axes_that_have_not_settled_it_is_near():
    generator = seeded(3)
    mixed = torch.randn(512, 16, generator=generator) @ torch.randn(16, 16, generator=generator)
    targets = mixed[:, :3] + torch.randn(512, 3, generator=generator)
    _, seen = follow_axes(mixed[None], torch.eye(16)[None], rounds=1)
    wanted = linear_probe((mixed[:256], targets[:256]), (mixed[256:], targets[256:])).r2
    assert probe_along_axes(seen, targets).item() == pytest.approx(wanted, abs=0.02)


def test_along_axes_a_point_tells_nothing_and_is_finite():
    assert probe_along_axes(torch.zeros(2, 64, 4), torch.randn(64, 2, generator=seeded(0))).abs().max() < 0.2


# ------------------------------------------------------------------ a small network


def bent(samples, seed):
    """Targets that no plane has a share in."""
    places = torch.randn(samples, 4, generator=seeded(seed))
    return places, torch.stack([places[:, 0] * places[:, 1], places[:, 2].abs()], 1)


def test_a_network_reads_what_is_there_but_bent():
    train, test = bent(2000, 1), bent(500, 2)
    found = mlp_probe(train, test, generator=seeded(0))
    assert linear_probe(train, test).r2 < 0.05
    assert found.r2 > 0.85
    assert found.r2 == pytest.approx(float(np.mean(found.per_target)))


def test_a_network_reads_a_plane_as_well_and_is_blind_to_scale():
    plain = linear_probe(pairs(seed=1), pairs(seed=2)).r2
    for scale in (1e-3, 1e3):
        found = mlp_probe(pairs(seed=1, scale=scale), pairs(seed=2, scale=scale), generator=seeded(0))
        assert plain - 0.02 < found.r2 < 0.95  # the targets are bent a little, so it may explain more


def test_a_network_that_fits_noise_is_stopped_in_time():
    train, test = (
        (torch.randn(200, 60, generator=seeded(s)), torch.randn(200, 1, generator=seeded(s + 9))) for s in (1, 2)
    )
    assert mlp_probe(train, test, generator=seeded(0)).r2 > -0.5
    assert linear_probe(train, test).r2 < mlp_probe(train, test, generator=seeded(0)).r2 + 0.5


def test_a_network_finds_nothing_in_a_point_and_is_the_same_for_the_same_generator():
    train, test = pairs(seed=1), pairs(seed=2)
    point = (torch.full_like(train[0], 0.3), train[1]), (torch.full_like(test[0], 0.3), test[1])
    assert mlp_probe(*point, generator=seeded(0)).r2 == pytest.approx(0, abs=0.05)
    found = [mlp_probe(train, test, generator=seeded(seed), steps=60).r2 for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_a_network_refuses_what_it_can_not_be_fitted_on():
    good = pairs(samples=40)
    with pytest.raises(ShapeError, match="at least 20 samples to fit a network, got 19"):
        mlp_probe((good[0][:19], good[1][:19]), good, generator=seeded(0))
    with pytest.raises(ShapeError, match="train must be embeddings"):
        mlp_probe((good[0], good[1][:30]), good, generator=seeded(0))
    with pytest.raises(ValueError, match="steps must be"):
        mlp_probe(good, good, generator=seeded(0), steps=0)
    with pytest.raises(TypeError, match="generator must be"):
        mlp_probe(good, good, generator=None)


@pytest.mark.parametrize("probe", [linear_probe, lambda *given: mlp_probe(*given, generator=seeded(0), steps=25)])
def test_embeddings_on_an_accelerator_are_read_as_on_the_cpu(probe):
    train, test = pairs(seed=1), pairs(seed=2)
    there = [tuple(map(on_accelerator, pair)) for pair in (train, test)]
    assert probe(*there) == probe(train, test)


# ------------------------------------------------------------------ its spread


def test_over_folds_each_sample_is_judged_once_by_a_probe_that_never_saw_its_group():
    embeddings, targets = pairs(samples=90)
    groups = torch.arange(90) // 9 * 7  # ten groups, whose names are no places
    numbered = torch.arange(90, dtype=torch.float32)[:, None].expand(90, 6)
    asked = []

    def probe(train, test):
        fitted, judged = (set(part[0][:, 0].int().tolist()) for part in (train, test))
        assert not {int(groups[place]) for place in fitted} & {int(groups[place]) for place in judged}
        asked.extend(judged)
        return linear_probe((embeddings[list(fitted)], targets[list(fitted)]), (embeddings[list(judged)], test[1]))

    probe_over_folds(probe, numbered, targets, groups=groups, folds=4)
    assert sorted(asked) == list(range(90))


def test_over_folds_mean_and_std_are_those_of_the_folds():
    embeddings, targets = pairs(samples=300)
    found = probe_over_folds(linear_probe, embeddings, targets, groups=torch.arange(300) // 10, folds=5)
    shares = [result.r2 for result in found.results]
    assert len(shares) == 5
    assert found.r2 == pytest.approx(float(np.mean(shares)))
    assert found.std == pytest.approx(float(np.std(shares, ddof=1)))
    assert 0 < found.std < 0.1


def test_folds_that_can_not_be_are_refused():
    embeddings, targets = pairs(samples=30)
    with pytest.raises(ValueError, match="folds must be at most the 3 groups, got 4"):
        probe_over_folds(linear_probe, embeddings, targets, groups=torch.arange(30) // 10, folds=4)
    with pytest.raises(ValueError, match="folds must be an integer of at least 2"):
        probe_over_folds(linear_probe, embeddings, targets, groups=torch.arange(30), folds=1)
    with pytest.raises(ShapeError, match="one for each sample"):
        probe_over_folds(linear_probe, embeddings, targets, groups=torch.arange(29))
