"""More directions: less noise, in proportion to one over their root; and K is what the training really uses."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, random_directions, seeded, sigreg
from lewm_lite.experiments.num_directions import NumDirectionsConfig, along, noise, probes, run, trained, values

SMALL = NumDirectionsConfig(
    counts=(1, 16),
    seeds=(0, 1),
    dim=4,
    wide_dim=8,
    wide_counts=(16,),
    steps=4,
    every=2,
    cloud_dims=(8,),
    samples=64,
    many=4096,
    draws=16,
)


def test_only_the_first_directions_are_looked_along():
    embeddings = torch.randn(2, 20, 4, generator=seeded(0))
    directions = random_directions(4, 10, generator=seeded(1))
    assert along(embeddings, directions, count=3) == sigreg(embeddings, directions[:, :3])


def test_sixteen_times_the_directions_leave_a_quarter_of_the_noise():
    few, many = (noise(replace(SMALL, draws=64), 8, count) for count in (4, 64))
    for kind in ("loss", "step"):
        assert few[kind] / many[kind] == pytest.approx(4, rel=0.3)


def test_fresh_directions_add_up_over_steps():
    # 64 steps of one direction stray as little as one step of 64 directions, if every step draws anew.
    accumulated = noise(replace(SMALL, draws=64), 8, 1)["accumulated"]
    one_step = noise(replace(SMALL, draws=64), 8, 64)["step"]
    assert accumulated == pytest.approx(one_step, rel=0.5)
    assert noise(SMALL, 8, 1)["step"] > 3 * accumulated


def test_models_of_another_number_of_directions_start_alike_and_part():
    few, many = (trained(SMALL, 4, count) for count in (1, 16))
    for reading in few.readings["sigreg"]:
        before, after = zip(*((a[0], a[-1]) for a in few.readings["sigreg"][reading]), strict=True)
        assert list(before) == pytest.approx([curve[0] for curve in many.readings["sigreg"][reading]])
        assert list(after) != pytest.approx([curve[-1] for curve in many.readings["sigreg"][reading]], rel=1e-6)


def test_the_fast_form_fills_every_value():
    told = values(run(SMALL))
    assert {"num_directions.dim4.k1.probe_r2", "num_directions.dim8.k16.std_high"} < set(told)
    assert "num_directions.dim8.k1.probe_r2" not in told
    assert {"num_directions.cloud8.k1.loss", "num_directions.cloud8.k16.accumulated"} < set(told)
    (count, (mean, low, high)), *others = probes(told, "num_directions.dim8.k{}", SMALL.wide_counts).items()
    assert count == 16 and low < mean < high and not others


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/num_directions.json").read_text(encoding="utf-8"))
    config = NumDirectionsConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    told = kept["values"]
    by_count = probes(told, "num_directions.dim16.k{}", config.counts)
    assert by_count[1][2] < by_count[16][1] and by_count[16][0] < by_count[256][0]  # at equal steps, more know more
    assert told["num_directions.dim16.k1.std"] > 0.5  # and yet one fresh direction a step does not collapse
    for dim in config.cloud_dims:  # noise falls as the root of K
        ratio = told[f"num_directions.cloud{dim}.k4.step"] / told[f"num_directions.cloud{dim}.k256.step"]
        assert ratio == pytest.approx(8, rel=0.4)
