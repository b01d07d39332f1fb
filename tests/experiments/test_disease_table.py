"""Each disease is what its row says, the healthy give false alarms only, and clumps are lost in many dimensions."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest
import torch

from lewm_lite import (
    asset_path,
    covariance_penalty,
    random_directions,
    seeded,
    sigreg,
    spectrum,
    variance_hinge,
)
from lewm_lite.embeddings.clouds import cloud_noise
from lewm_lite.experiments.disease_table import (
    DISEASES,
    DiseaseTableConfig,
    corners,
    dead,
    few_live,
    judged,
    powers,
    run,
    values,
    white_clumps_by_dim,
)

DIM = 16
NOISE = cloud_noise(20_000, DIM, generator=seeded(0))
BASIS = torch.linalg.qr(torch.randn(DIM, DIM, generator=seeded(1))).Q
FAST = DiseaseTableConfig(samples=(64, 256), num_directions=(16, 64), repeats=60, white_dims=(2, 32))


def test_dead_directions_are_dead_and_no_single_feature_is():
    made = dead(NOISE, BASIS, count=3)
    eigenvalues = spectrum(made)
    assert eigenvalues[-3:].max() < 1e-9 and eigenvalues[-4] > 0.9
    assert made.std(0).min() > 0.3


def test_few_live_directions_keep_the_total_variance():
    made = few_live(NOISE, BASIS, count=4)
    eigenvalues = spectrum(made)
    assert eigenvalues[4:].max() < 1e-9
    assert eigenvalues.sum().item() == pytest.approx(DIM, rel=0.03)


def test_corners_have_identity_covariance_and_two_values_a_feature():
    made = corners(NOISE)
    torch.testing.assert_close(made.mT @ made / len(made), torch.eye(DIM), atol=0.04, rtol=0)
    assert (made.abs() - math.sqrt(0.96)).abs().quantile(0.99) < 0.6
    assert (made.abs() < 0.3).float().mean() < 0.001


def test_power_counts_scores_above_the_ideal_ones_quantile():
    ideal = [{"judge": torch.tensor(float(score))} for score in range(100)]
    ill = [{"judge": torch.tensor(score)} for score in (10.0, 94.0, 94.9, 95.0, 200.0)]
    assert powers(ill, ideal, 0.05) == {"judge": pytest.approx(3 / 5)}


def test_judges_look_at_the_first_points_along_the_first_directions():
    cloud, directions = NOISE[:256, :-1], random_directions(DIM, 64, generator=seeded(2))
    scores = judged(cloud, directions, FAST)
    assert len(scores) == len(FAST.samples) * (2 + len(FAST.num_directions))
    torch.testing.assert_close(scores["SIGReg 16 at 64"], sigreg(cloud[:64], directions[:, :16]))
    torch.testing.assert_close(scores["SIGReg 64 at 256"], sigreg(cloud, directions))
    torch.testing.assert_close(scores["variance at 64"], variance_hinge(cloud[:64]))
    torch.testing.assert_close(scores["covariance at 256"], covariance_penalty(cloud))


def test_a_short_table_sees_what_is_coarse_and_leaves_the_healthy_alone():
    power = run(FAST)
    assert set(power) == set(DISEASES)
    for judge, share in power["healthy"].items():
        assert share <= 0.25, judge
    for disease in ("collapsed to a point", "line", "two clumps", "half of it dead"):
        assert power[disease]["SIGReg 64 at 256"] == 1
    assert power["two clumps"]["variance at 256"] < 0.2
    assert power["two white clumps"]["SIGReg 64 at 256"] < 0.3
    assert power["two white clumps"]["covariance at 256"] < 0.3
    assert power["line"]["covariance at 256"] == 1
    told = values(power, {2: 1.0})
    assert told["disease_table.8_live_full_variance.sigreg_64_at_256"] > 0.9
    assert "disease_table.cubes_corners.variance_at_64" in told and told["disease_table.white_clumps_in.2"] == 1


def test_white_clumps_are_seen_in_two_dimensions_and_not_in_thirty_two():
    seen = white_clumps_by_dim(FAST)
    assert seen[2] == 1
    assert seen[32] < 0.3


def test_the_kept_result_is_of_the_config_as_it_stands_and_holds_its_false_alarms():
    kept = json.loads(asset_path("results/disease_table.json").read_text(encoding="utf-8"))
    config, details = DiseaseTableConfig(), kept["details"]
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    by_dim = {int(dim): share for dim, share in details["white_clumps_by_dim"].items()}
    assert kept["values"] == values(details["power"], by_dim)
    noise = 3 * math.sqrt(2 * 0.05 * 0.95 / config.repeats)  # of the share, and of the line it is held against
    for share in details["power"]["healthy"].values():
        assert abs(share - config.false_alarms) < noise
