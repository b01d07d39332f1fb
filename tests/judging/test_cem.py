"""CEM finds what is cheapest where that is known, and refuses searches that can't be."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.judging.cem import candidates_around, cem, mean_and_std_of_elites

GOAL = torch.tensor([[1.5, -0.5], [0.0, 2.0], [-1.0, 0.3]])


def bowl(actions):
    return (actions - GOAL).square().sum((1, 2))


def search(cost=bowl, seed=0, **sizes):
    return cem(cost, **{"horizon": 3, "action_dim": 2, "generator": seeded(seed), **sizes})


def test_it_finds_the_bottom_of_a_bowl():
    plan = search()
    torch.testing.assert_close(plan.actions, GOAL, atol=0.05, rtol=0)
    assert plan.cost == pytest.approx(bowl(plan.actions[None]).item())
    assert plan.cost < 0.01 < plan.history[0].best


def test_it_leaves_a_small_hollow_for_a_deeper_one():
    """Downhill from the start lies a hollow of depth 1; one of depth 2 is further off."""

    def two_hollows(actions):
        place = actions[:, 0, 0]
        return -torch.exp(-((place - 0.5) ** 2) / 0.1) - 2 * torch.exp(-((place + 1.5) ** 2) / 0.1)

    start = torch.zeros((), requires_grad=True)
    two_hollows(start.reshape(1, 1, 1)).sum().backward()
    assert start.grad < 0  # a gradient goes up to 0.5
    assert search(two_hollows, horizon=1, action_dim=1).actions.item() == pytest.approx(-1.5, abs=0.02)


def test_the_mean_is_the_first_candidate_so_the_best_does_not_get_worse_where_it_was_the_mean():
    seen = []

    def cost(actions):
        seen.append(actions)
        return bowl(actions)

    plan = search(cost, mean=GOAL, std=0.3)
    for drawn, happened in zip(seen, plan.history, strict=False):
        torch.testing.assert_close(drawn[0], happened.mean)
        torch.testing.assert_close(happened.costs, bowl(drawn))
    assert plan.history[0].best == 0
    assert len(plan.history) == 10
    assert [round_.costs.shape for round_ in plan.history] == [(300,)] * 10


def test_the_spread_narrows_and_the_mean_of_the_elites_gets_cheaper():
    history = search().history
    assert history[-1].std.max() < 0.05 * history[0].std.min()
    assert history[-1].costs[0] < 0.01 * history[0].costs[0]


def test_the_first_draw_has_the_spread_and_the_place_that_were_asked_for():
    drawn = []

    def cost(actions):
        drawn.append(actions)
        return bowl(actions)

    search(cost, mean=GOAL, std=0.5, candidates=4000, iterations=1)
    torch.testing.assert_close(drawn[0].mean(0), GOAL, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn[0].std(0), torch.full((3, 2), 0.5), atol=0.03, rtol=0)


def test_the_best_answer_is_the_cheapest_of_all_that_was_tried():
    """Two equal hollows, mirror images: the mean of elites from both lies on the ridge between them."""

    def ridge(actions):
        return (actions[:, 0, 0].abs() - 1).abs()

    sizes = {"horizon": 1, "action_dim": 1, "iterations": 1, "candidates": 100, "elites": 20}
    mean, best = (search(ridge, answer=answer, **sizes) for answer in ("mean", "best"))
    assert mean.cost > 0.5
    assert best.cost == best.history[0].best < 0.1
    assert best.cost == pytest.approx(ridge(best.actions[None]).item())
    everything = search(answer="best")
    assert everything.cost == pytest.approx(
        min(bowl(everything.actions[None]).item(), *[r.best for r in everything.history])
    )


def test_the_same_generator_gives_the_same_plan_and_another_another():
    assert torch.equal(search(seed=1).actions, search(seed=1).actions)
    assert not torch.equal(search(seed=1).actions, search(seed=2).actions)


def test_elites_are_the_cheapest():
    drawn = torch.tensor([[[0.0]], [[10.0]], [[2.0]], [[4.0]]])
    mean, std = mean_and_std_of_elites(drawn, torch.tensor([3.0, 9.0, 1.0, 2.0]), 2)
    assert mean.item() == 3
    assert std.item() == pytest.approx(2**0.5)
    assert mean_and_std_of_elites(drawn, torch.tensor([3.0, 9.0, 1.0, 2.0]), 1)[1].item() == 0


def test_candidates_lie_around_the_mean():
    noise = torch.ones(3, 1, 2)
    found = candidates_around(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 0.0]]), noise)
    assert found.tolist() == [[[1.0, 2.0]], [[1.5, 2.0]], [[1.5, 2.0]]]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"horizon": 0}, "horizon must be an integer of at least 1, got 0"),
        ({"horizon": 2.5}, "horizon must be an integer"),
        ({"action_dim": 0}, "action_dim must be"),
        ({"candidates": 1}, "candidates must be an integer of at least 2"),
        ({"elites": 0}, "elites must be"),
        ({"elites": 1}, "elites must be at least 2 for 10 iterations"),
        ({"elites": 301}, "elites must be at most the 300 candidates"),
        ({"iterations": 0}, "iterations must be"),
        ({"answer": "worst"}, "answer must be one of mean, best"),
        ({"std": 0.0}, "std must be a finite number above 0"),
        ({"std": float("nan")}, "std must be a finite number above 0"),
        ({"mean": torch.full((3, 2), float("nan"))}, "mean holds 6 NaN"),
    ],
    ids=str,
)
def test_a_search_that_can_not_be_is_refused(sizes, words):
    with pytest.raises(ValueError, match=words):
        search(**sizes)


def test_a_cost_of_another_shape_or_nan_is_refused():
    with pytest.raises(ShapeError, match=r"one number for each candidate, \(300,\), got \(300, 3\)"):
        search(lambda actions: actions.sum(2))
    with pytest.raises(ValueError, match="NaN for 300"):
        search(lambda actions: actions.sum((1, 2)) * float("nan"))
    with pytest.raises(ShapeError, match="mean must be"):
        search(mean=torch.zeros(2, 2))
    with pytest.raises(TypeError, match="generator must be"):
        search(generator=None)
