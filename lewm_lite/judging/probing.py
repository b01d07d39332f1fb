"""What can be read from embeddings by a linear map, the plainest judge of them, and by a small network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_embeddings, check_generator, check_positive_integer
from lewm_lite.model.mlp import init_mlp, mlp

RIDGE = 1e-6  # of the mean variance of a feature: keeps a dead feature from being blown up, without being felt


@dataclass(frozen=True)
class ProbeResult:
    """Share of each target's variance that the probe explains on pairs it was not fitted on; 1 is all, 0 is none."""

    r2: float  # mean over targets
    per_target: tuple[float, ...]


def linear_probe(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> ProbeResult:
    r"""Fit targets from embeddings by least squares on ``train``; $R^2 = 1 - \sum e^2/\sum(y-\bar y)^2$ on ``test``.

    Features are centred but not scaled: the probe is blind to the scale of a cloud, so that a cloud of standard
    deviation 0.001 may still be read. Below float32's own noise nothing can be. It is fitted in
    float64 on the CPU, wherever the embeddings are.

    Args:
        train, test: embeddings ``(samples, dim)`` and targets ``(samples, targets)``.
    Returns:
        :class:`ProbeResult`; negative where the probe does worse than the mean of the test targets.
    Raises:
        ShapeError: embeddings or targets that are not of one length or width. TypeError: integers.
        ValueError: NaN, infinity, or a target that is constant on ``test``.
    Example:
        >>> import torch
        >>> from lewm_lite import seeded
        >>> seen = torch.randn(200, 3, generator=seeded(0))
        >>> round(linear_probe((seen[:100], seen[:100, :1] * 2), (seen[100:], seen[100:, :1] * 2)).r2, 3)
        1.0
    """
    check_pairs(train, test)
    weights, offset = _fitted(*(tensor.cpu().double() for tensor in train))
    embeddings, targets = (tensor.cpu().double() for tensor in test)
    return explained(embeddings @ weights + offset, targets)


@dataclass(frozen=True)
class SpreadOfProbe:
    """R² over folds: each fold's samples are judged by a probe fitted on the others'."""

    r2: float  # mean over folds
    std: float  # over folds
    results: tuple[ProbeResult, ...]


def mlp_probe(
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    generator: torch.Generator,
    hidden_dim: int = 64,
    steps: int = 500,
) -> ProbeResult:
    r"""Fit targets from embeddings by a network of one hidden layer on ``train``; R² on ``test``.

    What it explains beyond :func:`linear_probe` is there, but bent. Features and targets are brought to mean 0 and
    std 1, as they are on ``train``. A tenth of ``train`` is kept from the fit, and says every 25 steps whether the
    weights of now are the best so far.

    Args:
        train, test: as for :func:`linear_probe`, ``train`` of 20 samples at least.
        generator: of first weights, batches, and of what is kept from the fit.
        hidden_dim: width of the hidden layer. steps: of Adam, on 256 samples each, the rate falling from 0.01 to 0.
    Raises:
        ShapeError, TypeError, ValueError: as :func:`linear_probe`.
    """
    check_pairs(train, test)
    check_generator(generator)
    check_positive_integer("steps", steps)
    if len(train[0]) < 20:
        raise ShapeError(f"train needs at least 20 samples to fit a network, got {len(train[0])}")
    (inputs, asked), (wanted, judged) = (_standardised(*pair) for pair in zip(train, test, strict=True))
    kept, used = torch.randperm(len(inputs), generator=generator).tensor_split([len(inputs) // 10])
    widths = [inputs.shape[1], hidden_dim, wanted.shape[1]]
    weights = {name: value.requires_grad_() for name, value in init_mlp(widths, generator=generator).items()}
    optimiser = torch.optim.Adam(weights.values(), lr=1e-2)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 1e-3, steps)
    best, fewest = weights, math.inf
    for step in range(1, steps + 1):
        batch = used[torch.randint(len(used), (256,), generator=generator)]
        optimiser.zero_grad()
        (mlp(weights, inputs[batch]) - wanted[batch]).square().mean().backward()
        optimiser.step()
        falling.step()
        if step % 25 == 0 or step == steps:
            missed = (mlp(weights, inputs[kept]) - wanted[kept]).square().mean().item()
            if missed < fewest:
                best, fewest = {name: value.detach().clone() for name, value in weights.items()}, missed
    return explained(mlp(best, asked).detach().double(), judged.double())


def probe_over_folds(
    probe: Callable[[tuple[Tensor, Tensor], tuple[Tensor, Tensor]], ProbeResult],
    embeddings: Tensor,
    targets: Tensor,
    *,
    groups: Tensor,
    folds: int = 5,
) -> SpreadOfProbe:
    """A probe with its spread: fitted on all folds but one and judged on that one, in turn.

    Args:
        probe: such as :func:`linear_probe`, or :func:`mlp_probe` with its generator bound.
        embeddings: ``(samples, dim)``; targets: ``(samples, targets)``.
        groups: ``(samples,)`` integers, such as each sample's episode: a group is never on both sides, since frames of
            one episode are nearly the same. Groups are dealt to folds in turn.
        folds: from 2 to the number of groups.
    Raises:
        ShapeError: groups of another length. ValueError: folds that can't be; whatever the probe refuses.
    """
    check_positive_integer("folds", folds, minimum=2)
    if groups.shape != embeddings.shape[:1]:
        raise ShapeError(f"groups must be ({len(embeddings)},), one for each sample, got shape {tuple(groups.shape)}")
    names, places = groups.unique(return_inverse=True)
    if folds > len(names):
        raise ValueError(f"folds must be at most the {len(names)} groups, got {folds}")
    results = []
    for fold in range(folds):
        inside = places % folds == fold
        results.append(probe((embeddings[~inside], targets[~inside]), (embeddings[inside], targets[inside])))
    found = torch.tensor([result.r2 for result in results], dtype=torch.float64)
    return SpreadOfProbe(found.mean().item(), found.std().item(), tuple(results))


def check_pairs(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> None:
    """Refuse embeddings and targets that do not belong together."""
    for name, (embeddings, targets) in (("train", train), ("test", test)):
        check_embeddings(f"{name} embeddings", embeddings)
        check_embeddings(f"{name} targets", targets, last_axis="targets")
        if embeddings.ndim != 2 or targets.ndim != 2 or len(embeddings) != len(targets):
            raise ShapeError(
                f"{name} must be embeddings (samples, dim) and targets (samples, targets) of one length, "
                f"got shapes {tuple(embeddings.shape)} and {tuple(targets.shape)}"
            )
    if train[0].shape[1] != test[0].shape[1] or train[1].shape[1] != test[1].shape[1]:
        raise ShapeError(
            f"train and test must have the same widths, got {train[0].shape[1]} and {test[0].shape[1]} features, "
            f"{train[1].shape[1]} and {test[1].shape[1]} targets"
        )


def explained(predicted: Tensor, targets: Tensor) -> ProbeResult:
    """R² of predictions ``(samples, targets)``.

    Raises:
        ValueError: a target that is constant: there is nothing to explain.
    """
    missed = (predicted - targets).square().sum(0)
    there = (targets - targets.mean(0)).square().sum(0)
    if not bool((there > 0).all()):
        raise ValueError("test targets hold a target that is constant: there is no variance to explain")
    shares = 1 - missed / there
    return ProbeResult(shares.mean().item(), tuple(shares.tolist()))


def _standardised(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Both less the mean and over the std of the first, float32 on the CPU; a column that never changes is 0."""
    train, test = train.cpu().double(), test.cpu().double()
    mean, std = train.mean(0), train.std(0)
    std = torch.where(std > 0, std, torch.ones_like(std))
    first, second = (((values - mean) / std).float() for values in (train, test))
    return first, second


def _fitted(embeddings: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    mean, goal = embeddings.mean(0), targets.mean(0)
    centred = embeddings - mean
    matrix = centred.mT @ centred / len(centred)
    level = matrix.diagonal().mean()
    ridge = RIDGE * level + torch.finfo(torch.float64).tiny
    kept = matrix + ridge * torch.eye(len(matrix), dtype=matrix.dtype)
    weights = torch.linalg.solve(kept, centred.mT @ (targets - goal) / len(centred))
    return weights, goal - mean @ weights


def probe_along_axes(coordinates: Tensor, targets: Tensor, *, iterations: int = 8) -> Tensor:
    r"""R² of a linear probe for several clouds at once, in operations that any exported graph can hold.

    Fitted on the first half of the samples and judged on the second, as :func:`linear_probe` does it, but by
    conjugate gradients: coordinates along principal axes are nearly uncorrelated, so that a few iterations from the
    uncorrelated answer are exact to a thousandth.

    Args:
        coordinates: ``(clouds, samples, dim)``, centred, from :func:`lewm_lite.embeddings.principal.follow_axes`.
        targets: ``(samples, targets)``.
        iterations: of conjugate gradients.
    Returns:
        ``(clouds,)``: R², the mean over targets.
    """
    half = coordinates.shape[1] // 2
    mean, goal = coordinates[:, :half].mean(1, keepdim=True), targets[:half].mean(0)
    centred = coordinates[:, :half] - mean
    size = centred.square().mean(1).sqrt()  # one scale per axis, so that a tiny axis keeps its digits
    size = torch.where(size > 0, size, torch.ones_like(size))[:, None]
    centred = centred / size
    ridge = RIDGE * size.square().mean(-1, keepdim=True) / size.square()
    matrix, wanted = centred.mT @ centred / half, centred.mT @ (targets[:half] - goal) / half
    weights = _conjugate_gradients(matrix, ridge.mT.reshape(matrix.shape[0], -1, 1), wanted, iterations)
    predicted = ((coordinates[:, half:] - mean) / size) @ weights + goal
    judged = targets[half:]
    missed = (predicted - judged).square().sum(1)
    return (1 - missed / (judged - judged.mean(0)).square().sum(0)).mean(-1)


def _conjugate_gradients(matrix: Tensor, ridge: Tensor, wanted: Tensor, iterations: int) -> Tensor:
    """Solve ``(matrix + diag(ridge)) weights = wanted``, each column by itself, preconditioned by the diagonal."""
    scale = 1 / (torch.diagonal(matrix, dim1=-2, dim2=-1)[..., None] + ridge)
    weights = torch.zeros_like(wanted)
    left = wanted
    turn = scale * left
    direction, size = turn, (left * turn).sum(-2, keepdim=True)
    for _ in range(iterations):
        pushed = matrix @ direction + ridge * direction
        length = size / _above_zero((direction * pushed).sum(-2, keepdim=True))
        weights, left = weights + length * direction, left - length * pushed
        turn = scale * left
        new = (left * turn).sum(-2, keepdim=True)
        direction, size = turn + new / _above_zero(size) * direction, new
    return weights


def _above_zero(number: Tensor) -> Tensor:
    return torch.where(number > 0, number, torch.ones_like(number))
