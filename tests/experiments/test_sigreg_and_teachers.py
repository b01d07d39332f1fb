"""Teacher and stop-gradient beside SIGReg: the switches are what their names say, and what the kept result says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import Record
from lewm_lite.experiments.sigreg_and_teachers import WITH, SIGRegAndTeachersConfig, run, values


def test_the_four_ways_differ_in_two_switches_alone():
    switches = {name: (way.teacher, way.stop_gradient) for name, way in WITH.items()}
    assert switches == {"alone": (0, 0), "and_stop_gradient": (0, 1), "and_ema": (1, 0), "and_both": (1, 1)}
    assert len({way._replace(teacher=0.0, stop_gradient=0.0) for way in WITH.values()}) == 1
    assert WITH["alone"].sigreg == 0.1


def test_the_fast_form_keeps_every_way_alive():
    config = SIGRegAndTeachersConfig()
    shared = replace(config.shared, seeds=(0, 1, 2), batch_size=64, num_directions=16, judged_samples=256, every=60)
    record = run(replace(config, shared=shared, steps=60))
    for name in WITH:
        assert min(record.last(name, "std")) > 0.5 > max(record.last(name, "std", step=0))
    assert len(values(config, record)) == 4 * 4 * 3


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/sigreg_and_teachers.json").read_text())
    config = SIGRegAndTeachersConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, Record(**kept["details"]))
    alone, both = (kept["values"][f"sigreg_and_teachers.{name}.probe_r2"] for name in ("alone", "and_both"))
    assert alone == pytest.approx(both, abs=0.02)
