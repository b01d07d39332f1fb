"""The arena takes the library's own training step; who dies and who recovers is what the experiments measured."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import effective_rank, feature_std, linear_probe, seeded, spectrum
from lewm_lite.experiments.plugs import PLUGS
from lewm_lite.labs import CollapseArena
from lewm_lite.labs.arena import ENCODERS, HELD_OUT, OPTIMISER, WORLD, config_of, objectives_of
from lewm_lite.labs.collapse_arena import SHOWN
from lewm_lite.labs.feeds import feed
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.noise import pick_normal
from lewm_lite.training.joint_embedding import OBJECTIVES, Training, embed, side_by_side, training_step

IN = {plug: torch.tensor(1.0) for plug in ("ema", "stop_gradient", "variance", "vicreg", "sigreg")}
OUT = torch.tensor(0.0)


def fed(lab, graph="step", state=None, step=0):
    return feed(lab.graphs()[graph], lab.controls, lab.values, lab.banks(), state or {}, step)


def begun(lab):
    return lab.graphs()["start"].function(**fed(lab, "start"))


def test_with_every_plug_in_the_objectives_are_those_of_the_experiments():
    here = objectives_of(torch.tensor(0.1), IN)
    for ours, theirs in zip(here, side_by_side([OBJECTIVES[name] for name in ENCODERS]), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("pulled", "encoder", "story"),
    [
        (("sigreg",), "sigreg", "sigreg"),
        (("vicreg",), "vicreg", "vicreg"),
        (("variance",), "variance_only", "variance_only"),
        (("ema",), "ema_stop_gradient", "drop_ema"),
        (("stop_gradient",), "ema_stop_gradient", "drop_stop_gradient"),
        (("ema", "stop_gradient"), "ema_stop_gradient", "drop_both"),
    ],
)
def test_a_pulled_plug_leaves_what_the_experiment_left(pulled, encoder, story):
    here = objectives_of(torch.tensor(0.1), {**IN, **dict.fromkeys(pulled, OUT)})
    place = ENCODERS.index(encoder)
    torch.testing.assert_close([value[place].item() for value in here], list(map(float, PLUGS[story][1])))
    whole = side_by_side([OBJECTIVES[name] for name in ENCODERS])
    for other in set(range(len(ENCODERS))) - {place}:
        torch.testing.assert_close([value[other] for value in here], [value[other] for value in whole])


def test_a_step_is_the_library_s_training_step_on_the_noise_it_names():
    lab = CollapseArena(batch_size=32, num_directions=8, seed=3)
    state = begun(lab)
    out = lab.graphs()["step"].function(**fed(lab, state=state))
    table, key = lab.banks()["table"], torch.tensor(3 * 4.0)
    hidden, looks = (
        pick_normal(table, torch.arange(32.0), dim, key=key + which) for which, dim in enumerate(WORLD.noise_dims)
    )
    lines = pick_normal(table, torch.arange(8.0), 16, key=key + 2)
    pairs = WORLD.moments(hidden, looks)
    after, terms = training_step(
        Training(*(state[name] for name in Training._fields)),
        pairs.first,
        pairs.second,
        torch.nn.functional.normalize(lines, dim=1).mT,
        side_by_side([OBJECTIVES[name] for name in ENCODERS]),
        config=config_of(16),
        optimiser=OPTIMISER,
    )
    torch.testing.assert_close(out["parameters"], after.parameters, rtol=1e-4, atol=1e-6)
    for place, name in enumerate(ENCODERS):
        assert out[f"{name}_prediction"].item() == pytest.approx(terms.prediction[place].item(), rel=1e-4)


def test_all_start_alike_and_another_seed_starts_otherwise():
    one, other = begun(CollapseArena(seed=0))["parameters"], begun(CollapseArena(seed=1))["parameters"]
    assert all(torch.equal(row, one[0]) for row in one)
    assert not torch.allclose(one, other)
    weights = one[0, : 64 * 64]
    assert weights.abs().max() <= 1 / 8 and weights.std().item() == pytest.approx(1 / 8 / 3**0.5, rel=0.03)


@pytest.mark.parametrize("dim", [2, 4, 16, 64])
def test_readings_are_those_of_the_held_out_embeddings(dim):
    lab = CollapseArena(dim=dim)
    lab_frames = lab.run(Phase(12), every=12)
    state, banks = lab_frames[-1].state, lab.banks()
    embeddings = embed(state["parameters"], banks["first"], config_of(dim))
    half = HELD_OUT // 2
    for place, name in enumerate(ENCODERS):
        cloud, readings = embeddings[place], lab_frames[-1].readings
        assert readings[f"{name}_std"] == pytest.approx(feature_std(cloud).mean().item(), rel=1e-3)
        assert readings[f"{name}_effective_rank"] == pytest.approx(
            effective_rank(cloud), rel=0.15 if dim == 64 else 0.02
        )
        probe = linear_probe((cloud[:half], banks["state"][:half]), (cloud[half:], banks["state"][half:]))
        assert readings[f"{name}_probe_r2"] == pytest.approx(probe.r2, abs=0.12 if dim == 64 else 0.01)
    shown = lab_frames[-1].tensors["cloud"]
    assert shown.shape == (5, 128, 2)
    whole = spectrum(embeddings)
    left = 1 - whole[:, :2].sum(-1) / whole.sum(-1)
    torch.testing.assert_close(lab_frames[-1].tensors["left_out"].double(), left, atol=0.05, rtol=0)


@pytest.fixture(scope="module")
def story():
    """Three seeds: all plugs in, then SIGReg's and VICReg's pulled, then in again."""
    torch.set_num_threads(1)
    phases = Phase(160), Phase(320, {"sigreg": False, "vicreg": False}), Phase(120, {"sigreg": True, "vicreg": True})
    return [CollapseArena(seed=seed).run(*phases, every=40) for seed in range(3)]


def at(runs, step, name, quantity):
    return [next(f for f in run if f.step == step).readings[f"{name}_{quantity}"] for run in runs]


def test_with_nothing_against_it_an_encoder_collapses_and_the_others_do_not(story):
    assert max(at(story, 160, "none", "std")) < 0.02
    assert max(at(story, 160, "none", "probe_r2")) < 0.3
    for name in set(ENCODERS) - {"none"}:
        assert min(at(story, 160, name, "std")) > 0.1, name
        assert min(at(story, 160, name, "probe_r2")) > 0.5, name


def test_a_pulled_plug_kills_its_own_encoder_alone(story):
    for name in ("sigreg", "vicreg"):
        assert max(at(story, 480, name, "std")) < 0.55 * min(at(story, 160, name, "std"))
    assert min(at(story, 480, "variance_only", "std")) > 0.9
    assert min(at(story, 480, "ema_stop_gradient", "std")) > 0.3


def test_plugged_in_again_they_recover(story):
    for name in ("sigreg", "vicreg"):
        assert min(at(story, 600, name, "std")) > 0.7


def test_a_reader_s_own_score_is_what_the_fifth_encoder_meets():
    given = {"batch_size": 32, "num_directions": 4}
    ours = CollapseArena(**given).run(Phase(3))[-1].state["parameters"]
    theirs = (
        CollapseArena(score=lambda embeddings, _: 0 * embeddings.sum(), **given).run(Phase(3))[-1].state["parameters"]
    )
    none, fifth = ENCODERS.index("none"), ENCODERS.index("sigreg")
    assert not torch.allclose(ours[fifth], theirs[fifth])
    torch.testing.assert_close(theirs[fifth], theirs[none], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours[:fifth], theirs[:fifth], rtol=1e-4, atol=1e-6)


def test_what_is_said_names_every_encoder():
    words = CollapseArena.say(3, {reading.name: 0.5 for reading in CollapseArena.readings})
    assert all(shown in words for shown in SHOWN.values())
    assert "prediction error" not in words


def test_held_out_pairs_are_not_those_of_the_batches():
    lab = CollapseArena()
    first = lab.banks()["first"]
    assert first.shape == (HELD_OUT, 64)
    assert not torch.equal(first, WORLD.sample(HELD_OUT, generator=seeded(0)).first)


@pytest.mark.parametrize("given", [{"dim": 3}, {"batch_size": 33}, {"num_directions": 0}, {"ema": 1}, {"plug": True}])
def test_settings_that_cannot_be_are_refused(given):
    with pytest.raises(ValueError, match="must be|goes from|no control named"):
        CollapseArena(**given)
