"""Axes that follow a cloud: they settle on the eigenvectors, stay orthonormal, and keep small eigenvalues' digits."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, seeded, spectrum
from lewm_lite.embeddings.principal import _order, follow_axes


def cloud(dim, decades, seed=0, samples=256):
    generator = seeded(seed)
    turn = torch.linalg.qr(torch.randn(dim, dim, generator=generator)).Q
    return (torch.randn(samples, dim, generator=generator) * torch.logspace(0, -decades / 2, dim)) @ turn + 3


def settled(embeddings, sweeps=10):
    dim = embeddings.shape[-1]
    axes = torch.eye(dim).expand(len(embeddings), dim, dim)
    for _ in range(sweeps):
        axes, seen = follow_axes(embeddings, axes, rounds=max(1, dim - 1))
    return axes, seen


@pytest.mark.parametrize(("dim", "decades"), [(2, 0), (2, 8), (4, 3), (16, 0), (16, 6), (64, 1)])
def test_settled_axes_give_the_spectrum(dim, decades):
    embeddings = torch.stack([cloud(dim, decades, seed) for seed in (0, 1)])
    axes, seen = settled(embeddings)
    found = seen.square().mean(1).sort(descending=True).values
    wanted = spectrum(embeddings)
    assert torch.allclose(found.double(), wanted, rtol=2e-3), found / wanted
    assert torch.allclose(axes.mT @ axes, torch.eye(dim).expand_as(axes), atol=1e-5)


def test_a_slowly_turning_cloud_is_followed_with_a_fraction_of_a_sweep():
    embeddings = cloud(16, 2)[None]
    axes, _ = settled(embeddings)
    drift = torch.linalg.matrix_exp(0.01 * (lambda m: m - m.mT)(torch.randn(16, 16, generator=seeded(5))))
    for _ in range(30):
        embeddings = embeddings @ drift
        axes, seen = follow_axes(embeddings, axes, rounds=15)
    found = seen.square().mean(1).sort(descending=True).values
    assert torch.allclose(found.double(), spectrum(embeddings), rtol=0.02)


def test_rounding_does_not_add_up():
    embeddings, axes = cloud(8, 2)[None], torch.eye(8)[None] * 1.001  # a little too long to begin with
    for _ in range(500):
        axes, _ = follow_axes(embeddings, axes, rounds=7)
    assert (axes.mT @ axes - torch.eye(8)).abs().max() < 1e-5


@pytest.mark.parametrize("dim", [2, 4, 6, 16, 64])
def test_a_tournament_meets_every_pair_once(dim):
    places, met = list(range(dim)), set()
    for _ in range(dim - 1):
        met |= {frozenset(places[i : i + 2]) for i in range(0, dim, 2)}
        places = [places[i] for i in _order(dim)]
    assert len(met) == dim * (dim - 1) // 2
    assert places == list(range(dim))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_point_has_no_axis_and_breaks_nothing(value):
    axes, seen = follow_axes(torch.full((1, 32, 4), value), torch.eye(4)[None])
    assert torch.isfinite(axes).all() and seen.abs().max() < 1e-6


def test_a_tiny_cloud_is_as_good_as_a_large_one():
    embeddings = cloud(4, 1)[None]
    centred = embeddings - embeddings.mean(1, keepdim=True)
    _, seen = settled(1e-12 * centred)
    found = seen.square().mean(1).sort(descending=True).values
    assert torch.allclose(found.double() * 1e24, spectrum(centred), rtol=1e-3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="even dim"):
        follow_axes(torch.zeros(1, 8, 3), torch.eye(3)[None])
    with pytest.raises(ShapeError, match=r"basis must be \(clouds, 4, 4\)"):
        follow_axes(torch.zeros(1, 8, 4), torch.eye(3)[None])
    with pytest.raises(ValueError, match="rounds"):
        follow_axes(torch.zeros(1, 8, 4), torch.eye(4)[None], rounds=0)
