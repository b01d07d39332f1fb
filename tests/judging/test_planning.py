"""A planner with a model that is right plans what gets there; and it refuses what it can't plan with."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import LeWorldModel, ShapeError, seeded
from lewm_lite.judging.evaluation import pixels, two_rooms
from lewm_lite.judging.planning import LatentPlanner, PlannerConfig
from lewm_lite.judging.true_dynamics import walk
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.rooms import DOOR

QUICK = PlannerConfig(candidates=100, elites=12, iterations=8, bounds=(-1.0, 1.0))


def frames_of(start, goal):
    room = two_rooms(32)
    room.reset(options={"state": start})
    return pixels(room.frame())[None], pixels(room.frame(goal))


def test_the_plan_leads_to_the_goal_in_the_room_itself(known_model):
    start, goal = (0.2, 0.3), (0.4, 0.8)
    sizes = PlannerConfig(bounds=(-1.0, 1.0), answer="best")
    plan = LatentPlanner(known_model, config=sizes).plan(*frames_of(start, goal), generator=seeded(0))
    assert plan.actions.shape == (25, 2)
    assert plan.actions.abs().max() <= 1
    end = walk(torch.tensor(start), plan.actions[None], door=DOOR)[0, -1]
    torch.testing.assert_close(end, torch.tensor(goal, dtype=torch.float64), atol=0.02, rtol=0)
    torch.testing.assert_close(plan.imagined[-1].double(), end, atol=0.02, rtol=0)
    assert plan.imagined.shape == (5, 2)
    assert plan.search.cost < 1e-3 < plan.search.history[0].best


def test_what_is_imagined_is_what_the_model_makes_of_the_actions_that_are_given(known_model):
    planner = LatentPlanner(known_model, config=QUICK)
    frames, goal = frames_of((0.2, 0.3), (0.9, 0.9))  # so far that the bounds bind
    plan = planner.plan(frames, goal, generator=seeded(0))
    assert (plan.actions.abs() > 0.999).any()
    again = known_model.rollout(known_model.encode(frames[None]), planner.action_blocks.pack(plan.actions)[None])[0]
    torch.testing.assert_close(plan.imagined, again)


def test_without_bounds_actions_are_not_bounded(known_model):
    free = PlannerConfig(candidates=100, elites=12, iterations=8)
    plan = LatentPlanner(known_model, config=free).plan(*frames_of((0.2, 0.3), (0.9, 0.9)), generator=seeded(0))
    assert plan.actions.abs().max() > 1


def test_the_same_generator_plans_the_same(known_model):
    given = frames_of((0.2, 0.3), (0.3, 0.6))
    planner = LatentPlanner(known_model, config=QUICK)
    plans = [planner.plan(*given, generator=seeded(seed)).actions for seed in (1, 1, 2)]
    assert torch.equal(plans[0], plans[1])
    assert not torch.equal(plans[0], plans[2])


def test_frames_before_the_last_count_only_with_what_was_done_between_them():
    model = LeWorldModel.from_preset("lite", action_dim=10).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=seeded(parameter.numel()))
    model.action_blocks = ActionBlocks(5, (0.0, 0.0), (1.0, 1.0))
    planner = LatentPlanner(
        model, config=PlannerConfig(horizon=2, candidates=8, elites=2, iterations=1, replan_every=1)
    )
    last, goal = frames_of((0.2, 0.3), (0.3, 0.6))
    first, _ = frames_of((0.4, 0.3), (0.3, 0.6))
    alone = planner.plan(last, goal, generator=seeded(0))
    with_past = planner.plan(torch.cat([first, last]), goal, generator=seeded(0))
    told = planner.plan(torch.cat([first, last]), goal, generator=seeded(0), past_actions=torch.ones(1, 10))
    torch.testing.assert_close(alone.imagined, with_past.imagined)
    assert (told.imagined - alone.imagined).abs().max() > 1e-3


def test_no_gradient_is_kept(known_model):
    plan = LatentPlanner(known_model, config=QUICK).plan(*frames_of((0.2, 0.3), (0.3, 0.6)), generator=seeded(0))
    assert not plan.actions.requires_grad


def test_a_goal_of_another_size_is_refused(known_model):
    planner = LatentPlanner(known_model)
    frames, goal = frames_of((0.2, 0.3), (0.3, 0.6))
    with pytest.raises(ShapeError, match=r"one frame of the same size.*\(3, 16, 16\)"):
        planner.plan(frames, goal[:, ::2, ::2], generator=seeded(0))
    with pytest.raises(ShapeError, match="frames must be"):
        planner.plan(frames[0], goal, generator=seeded(0))
    larger = torch.nn.functional.interpolate(torch.cat([frames, goal[None]]), scale_factor=2.0)
    with pytest.raises(ShapeError, match=r"frames must be 32 pixels high and wide.*\(1, 3, 64, 64\)"):
        planner.plan(larger[:1], larger[1], generator=seeded(0))


def test_a_model_that_is_not_ready_is_refused(known_model):
    with pytest.raises(ValueError, match="of 4 numbers do not fit a model of action_dim 10"):
        LatentPlanner(known_model, ActionBlocks(2, (0.0, 0.0), (1.0, 1.0)))
    known_model.action_blocks = None
    with pytest.raises(ValueError, match="brings no action_blocks"):
        LatentPlanner(known_model)
    with pytest.raises(ValueError, match="evaluation mode"):
        LatentPlanner(known_model.train())


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"horizon": 0}, "horizon must be"),
        ({"candidates": 0}, "candidates must be"),
        ({"elites": 301}, "elites must be at most"),
        ({"replan_every": 0}, "replan_every must be"),
        ({"replan_every": 6}, "at most the horizon, 5, got 6"),
        ({"answer": "worst"}, "answer must be one of mean, best, got 'worst'"),
        ({"bounds": (1.0, -1.0)}, "bounds must be"),
        ({"bounds": (1.0,)}, "bounds must be"),
        ({"bounds": 1.0}, "bounds must be"),
        ({"bounds": ("low", "up")}, "bounds must be"),
    ],
    ids=str,
)
def test_sizes_that_can_not_be_are_refused(sizes, words):
    with pytest.raises(ValueError, match=words):
        PlannerConfig(**sizes)
