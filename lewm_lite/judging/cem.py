"""The cross-entropy method: search by drawing candidates, keeping the best, and drawing nearer to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import (
    ShapeError,
    check_finite,
    check_floating,
    check_generator,
    check_positive_integer,
    check_positive_number,
)

Cost = Callable[[Tensor], Tensor]  # (candidates, horizon, action_dim) -> (candidates,): the lower, the better

ANSWERS = ("mean", "best")


@dataclass(frozen=True)
class CEMRound:
    """One iteration: what was drawn from, and what it cost."""

    mean: Tensor  # (horizon, action_dim)
    std: Tensor  # (horizon, action_dim)
    costs: Tensor  # (candidates,), the first of them that of the mean

    @property
    def best(self) -> float:
        """The cost of the best candidate."""
        return self.costs.min().item()


@dataclass(frozen=True)
class CEMPlan:
    """What the search came to."""

    actions: Tensor  # (horizon, action_dim): as asked, the mean of the last elites or the best of all candidates
    cost: float
    history: tuple[CEMRound, ...]  # one for each iteration


def cem(
    cost: Cost,
    *,
    horizon: int,
    action_dim: int,
    candidates: int = 300,
    elites: int = 30,
    iterations: int = 10,
    generator: torch.Generator,
    mean: Tensor | None = None,
    std: float = 1.0,
    answer: str = "mean",
    device: torch.device | str = "cpu",
) -> CEMPlan:
    r"""The actions of least cost, as far as they are found: $a^{(i)} \sim N(\mu, \sigma^2)$, elites, new $\mu, \sigma$.

    The first candidate of each iteration is the mean itself, so that the mean competes with what was drawn around it.
    The std is that of the elites, with no lower bound and no smoothing, and actions have no bounds here: a cost that
    wants bounds clips.

    Args:
        cost: takes ``(candidates, horizon, action_dim)``, gives ``(candidates,)``.
        horizon: actions in a plan, >= 1. action_dim: numbers in each, >= 1.
        candidates: drawn in each iteration, >= 2. elites: of them, kept; from 1, or 2 if there is more than one
            iteration (one has no spread), to ``candidates``. iterations: >= 1.
        generator: the source of candidates.
        mean: where the search begins, ``(horizon, action_dim)``; zero without. std: its spread there, > 0.
        answer: ``"mean"``, of the last elites, as the authors have it; or ``"best"``, the cheapest candidate of all,
            that mean among them. Where a cost clips actions, the mean of good ones need not be good.
        device: where the candidates are to be; they are drawn where the generator is.
    Returns:
        The actions, their cost, and what happened in each iteration.
    Raises:
        ValueError: numbers outside what is said here, or a cost that is NaN. ShapeError: a cost or mean of another
            shape. TypeError: no generator.
    Source:
        Rubinstein 1999; the form of the authors' planner (galilai-group/stable-worldmodel, ``planning/solver/cem.py``).
    Example:
        >>> from lewm_lite import seeded
        >>> plan = cem(lambda actions: (actions - 2).square().sum((1, 2)), horizon=3, action_dim=1, generator=seeded(0))
        >>> [round(action, 2) for action in plan.actions[:, 0].tolist()]
        [2.0, 2.0, 2.0]
    """
    check_search(horizon=horizon, action_dim=action_dim, candidates=candidates, elites=elites, iterations=iterations)
    check_generator(generator)
    check_positive_number("std", std)
    shape = (horizon, action_dim)
    check_answer(answer)
    now = torch.zeros(shape, device=device) if mean is None else _checked_mean(mean, shape).to(device)
    spread, history, best = torch.full_like(now, std), [], (math.inf, now)
    for _ in range(iterations):
        noise = torch.randn(candidates, *shape, generator=generator, device=generator.device)
        drawn = candidates_around(now, spread, noise.to(device))
        costs = _checked_costs(cost(drawn), candidates)
        history.append(CEMRound(now, spread, costs))
        best = min(best, (history[-1].best, drawn[costs.argmin()]), key=lambda found: found[0])
        now, spread = mean_and_std_of_elites(drawn, costs, elites)
    last = (_checked_costs(cost(now[None]), 1).item(), now)
    least, actions = last if answer == "mean" else min(last, best, key=lambda found: found[0])
    return CEMPlan(actions, least, tuple(history))


def candidates_around(mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """``(candidates, horizon, action_dim)``: standard normal noise brought to the mean and std, the first to the mean.

    With :func:`mean_and_std_of_elites` this is all that one iteration is, in operations that an exported graph holds.
    """
    return mean + std * torch.cat([torch.zeros_like(noise[:1]), noise[1:]])


def mean_and_std_of_elites(drawn: Tensor, costs: Tensor, elites: int) -> tuple[Tensor, Tensor]:
    """Mean and std of the ``elites`` candidates of least cost, each ``(horizon, action_dim)``; the std of one is 0."""
    best = drawn[costs.topk(elites, largest=False).indices]
    mean = best.mean(0)
    return mean, ((best - mean).square().sum(0) / max(elites - 1, 1)).sqrt()


def check_search(*, horizon: int, action_dim: int, candidates: int, elites: int, iterations: int) -> None:
    """Refuse a search that can't be: see :func:`cem`."""
    check_positive_integer("horizon", horizon)
    check_positive_integer("action_dim", action_dim)
    check_positive_integer("candidates", candidates, minimum=2)
    check_positive_integer("iterations", iterations)
    check_positive_integer("elites", elites)
    if elites > candidates:
        raise ValueError(f"elites must be at most the {candidates} candidates that they are chosen from, got {elites}")
    if elites < 2 and iterations > 1:
        raise ValueError(
            f"elites must be at least 2 for {iterations} iterations, got {elites}: one has no spread to draw from next"
        )


def check_answer(answer: str) -> None:
    """Refuse an answer that :func:`cem` can't give."""
    if answer not in ANSWERS:
        raise ValueError(f"answer must be one of {', '.join(ANSWERS)}, got {answer!r}")


def _checked_mean(mean: Tensor, shape: tuple[int, int]) -> Tensor:
    check_floating("mean", mean)
    if tuple(mean.shape) != shape:
        raise ShapeError(f"mean must be (horizon, action_dim), here {shape}, got shape {tuple(mean.shape)}")
    check_finite("mean", mean)
    return mean


def _checked_costs(costs: Tensor, candidates: int) -> Tensor:
    check_floating("cost", costs)
    if tuple(costs.shape) != (candidates,):
        raise ShapeError(f"cost must give one number for each candidate, ({candidates},), got {tuple(costs.shape)}")
    if bool(torch.isnan(costs).any()):
        raise ValueError(f"cost must be a number for each candidate, got NaN for {int(torch.isnan(costs).sum())}")
    return costs
