"""A lab runs as its controls stand: every frame, phase and reading follows from its two functions and its banks."""

import dataclasses

import pytest
import torch

from lewm_lite.labs.lab import Lab, Phase


def steps(frames):
    return [frame.step for frame in frames]


def by_hand(drift, phases, **given):
    """The path of the drift lab, written out: states before every step, and the last."""
    values = drift(**given).values
    banks, dim = drift.banks(), values["dim"]
    noise, kicks = banks[f"noise_{dim}"], banks[f"kicks_{dim}"]
    first = 128 * values["seed"]
    points = noise[first : first + values["num_samples"]] + 10 * (values["place"] == "far")
    path, step = [points], 0
    for num_steps, changes in phases:
        values |= changes
        for _ in range(num_steps):
            count = values["num_kicks"]
            place = 16 * values["seed"] + (step * count if values["fresh"] else 0)
            chosen = kicks[(place + torch.arange(count)) % len(kicks)]
            points = points - values["rate"] * points + chosen.mean(0)
            path.append(points)
            step += 1
    return path


# Frames


@pytest.mark.parametrize(
    ("num_steps", "every", "expected"),
    [
        (6, 1, [0, 1, 2, 3, 4, 5, 6]),
        (6, 2, [0, 2, 4, 6]),
        (6, 4, [0, 4, 6]),
        (7, 3, [0, 3, 6, 7]),
        (3, 100, [0, 3]),
        (1, 1, [0, 1]),
        (0, 1, [0]),
    ],
)
def test_frames_are_kept_before_each_kth_step_and_at_the_end(drift, num_steps, every, expected):
    assert steps(drift().run(Phase(num_steps), every=every)) == expected


def test_frames_are_counted_through_the_phases(drift):
    assert steps(drift().run(Phase(5), Phase(4), every=3)) == [0, 3, 6, 9]


def test_fewer_frames_are_the_same_frames(drift):
    every_step = {frame.step: frame for frame in drift().run(Phase(7))}
    for frame in drift().run(Phase(7), every=3):
        same = every_step[frame.step]
        assert torch.equal(frame.tensors["points"], same.tensors["points"])
        assert frame.readings == same.readings
        assert frame.values == same.values


def test_a_scene_runs_its_own_phases_unless_others_are_given(drift):
    assert steps(drift().run(every=100)) == [0, 16]
    assert steps(drift("arrive").run(every=100)) == [0, 5]
    assert steps(drift("arrive").run(Phase(2))) == [0, 1, 2]


def test_the_path_is_the_one_worked_out_by_hand(drift):
    given = {"rate": 0.5, "num_kicks": 5, "seed": 2, "num_samples": 7}
    phases = [(3, {}), (4, {"rate": 0.1, "fresh": False}), (9, {"fresh": True, "num_kicks": 16})]
    frames = drift(**given).run(*(Phase(*phase) for phase in phases))
    expected = by_hand(drift, phases, **given)
    assert len(frames) == len(expected)
    for frame, points in zip(frames, expected, strict=True):
        torch.testing.assert_close(frame.tensors["points"], points)


def test_readings_are_those_of_the_state_in_the_same_frame(drift):
    for frame in drift().run(Phase(5)):
        assert set(frame.readings) == {"spread"}
        assert frame.readings["spread"] == pytest.approx(frame.tensors["points"].square().mean().sqrt().item())


def test_a_frame_holds_the_settings_of_its_own_step(drift):
    frames = drift(rate=0.5).run(Phase(2), Phase(2, {"rate": 0.0}), Phase(1, {"num_kicks": 3}))
    assert [frame.values["rate"] for frame in frames] == [0.5, 0.5, 0.0, 0.0, 0.0, 0.0]
    assert [frame.values["num_kicks"] for frame in frames] == [12, 12, 12, 12, 3, 3]


def test_a_run_leaves_the_lab_s_own_settings_alone(drift):
    lab = drift()
    lab.run(Phase(2, {"rate": 0.0}))
    assert lab.values == drift().values


def test_only_what_a_view_draws_is_kept_and_of_inputs_only_as_many_rows_as_it_draws(drift):
    bank = drift.banks()["kicks_2"]
    for frame in drift(num_kicks=5).run(Phase(1), Phase(1, {"num_kicks": 1})):
        assert set(frame.tensors) == {"points", "kicks"}
        first = frame.step * frame.values["num_kicks"]
        assert torch.equal(frame.tensors["kicks"], bank[first : first + min(2, frame.values["num_kicks"])])


def test_a_run_keeps_no_history_for_a_gradient_that_nobody_asks_for(drift, monkeypatch):
    learned = torch.tensor(0.5, requires_grad=True)
    graphs = drift().graphs()
    step = dataclasses.replace(graphs["step"], function=lambda points, kicks, rate: {
        "points": learned * points,
        "spread": points.mean(),
    })  # fmt: skip
    monkeypatch.setattr(drift, "graphs", lambda self: {**graphs, "step": step})
    assert not drift().run(Phase(1))[-1].tensors["points"].requires_grad


# Seeds


def test_the_same_lab_runs_the_same_way_twice(drift):
    first, second = drift(seed=1).run(every=5), drift(seed=1).run(every=5)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.tensors["points"], other.tensors["points"])
        assert one.readings == other.readings


def test_another_seed_takes_another_path(drift):
    first, second = drift(seed=0).run(Phase(1))[0], drift(seed=1).run(Phase(1))[0]
    assert not torch.equal(first.tensors["points"], second.tensors["points"])


def test_a_run_leaves_the_global_random_state_alone(drift):
    before = torch.get_rng_state()
    drift().run(Phase(2))
    assert torch.equal(torch.get_rng_state(), before)


# Scenes and settings


def test_the_first_scene_is_the_default(drift):
    assert drift().scene.name == "settle"
    assert drift("arrive").scene.name == "arrive"


def test_given_settings_win_over_the_scene_s_and_those_over_the_defaults(drift):
    assert drift().values["place"] == "near"
    assert drift("arrive").values["place"] == "far"
    assert drift("arrive", place="near", rate=1).values == {**drift().values, "rate": 1}


def test_an_unknown_scene_is_refused_and_the_known_ones_are_listed(drift):
    with pytest.raises(ValueError, match=r"scene must be one of \['settle', 'arrive'\], got 'nowhere'"):
        drift("nowhere")


def test_an_unknown_control_is_refused_and_the_known_ones_are_listed(drift):
    with pytest.raises(ValueError, match="no control named speed: this lab has rate, num_kicks, fresh, place"):
        drift(speed=1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 2}, "rate must be a number from 0 to 1, got 2"),
        ({"seed": -1}, "seed must be a number from 0 to 3, got -1"),
        ({"place": "here"}, r"place must be one of \['near', 'far'\], got 'here'"),
        ({"fresh": 1}, "fresh must be True or False, got 1"),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_when_given_and_in_a_phase(drift, given, message):
    with pytest.raises(ValueError, match=message):
        drift(**given)
    with pytest.raises(ValueError, match=message):
        drift().run(Phase(1, given))


def test_an_unknown_control_in_a_phase_is_refused(drift):
    with pytest.raises(ValueError, match="no control named speed"):
        drift().run(Phase(1, {"speed": 1}))


@pytest.mark.parametrize("every", [0, -1, 1.5])
def test_frames_are_kept_every_whole_number_of_steps(drift, every):
    with pytest.raises(ValueError, match="every must be an integer of at least 1, got"):
        drift().run(Phase(1), every=every)


# Words


def test_a_lab_says_its_readings_in_a_sentence(drift):
    assert drift.say(12, {"spread": 0.456}) == "Step 12: spread 0.46."


def test_the_repr_says_scene_and_settings_and_no_address(drift):
    assert repr(drift("arrive", rate=0.5)) == (
        "Drift('arrive', rate=0.5, num_kicks=12, fresh=True, place='far', dim=2, num_samples=100, seed=0)"
    )


def test_a_lab_that_is_not_finished_says_what_it_lacks():
    class Bare(Lab):
        name, title, controls, readings, recorded = "bare", "Bare", (), (), {}
        scenes = (None,)

        def __init__(self):
            pass

    with pytest.raises(NotImplementedError, match=r"Bare must define graphs\(\)"):
        Bare().graphs()
    with pytest.raises(NotImplementedError, match=r"Bare must define banks\(\)"):
        Bare.banks()
    with pytest.raises(NotImplementedError, match=r"Bare must define draw_still\(\)"):
        Bare.draw_still([], None)
