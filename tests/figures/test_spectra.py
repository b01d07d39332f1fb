"""Every feature and every axis of both clouds is drawn; scores stand where they were given, the line on its height."""

from __future__ import annotations

import numpy as np
import torch

from lewm_lite import feature_std, seeded, spectrum
from lewm_lite.figures.spectra import features_and_spectrum, scores_over_samples


def test_both_clouds_are_drawn_feature_by_feature_and_along_their_axes():
    healthy = torch.randn(64, 6, generator=seeded(0))
    dead = healthy * torch.tensor([1.0, 1.0, 0.1, 0.1, 0.1, 0.1])
    alt = "Two clouds of six features, of which one has four that are nearly dead."
    left, right = features_and_spectrum(("whole", healthy), ("dead", dead), alt=alt).figure.axes
    for line, axis_line, cloud in zip(left.lines[:2], right.lines[:2], (healthy, dead), strict=True):
        np.testing.assert_allclose(line.get_ydata(), feature_std(cloud).numpy())
        np.testing.assert_allclose(axis_line.get_ydata(), spectrum(cloud).numpy())
    assert left.lines[0].get_marker() != left.lines[1].get_marker()
    assert [text.get_text() for text in right.texts] == ["whole", "dead"]
    assert right.get_yscale() == "log"


def test_scores_are_lines_and_dots_with_their_names_and_the_band_ends_at_the_line():
    rows = {
        "few": [{"expected": 1.0, "mean": 1.1}, {"expected": 2.0, "mean": 1.9}],
        "many": [{"expected": 3.0, "mean": 3.1}, {"expected": 30.0, "mean": 29.0}],
    }
    picture = scores_over_samples([16, 64], rows, line=1.3, floor=1.05)
    (axes,) = picture.figure.axes
    assert "At N = 64: few 1.9; many 29." in picture.alt
    drawn = [tuple(line.get_ydata()) for line in axes.lines]
    assert drawn == [(1.05, 1.05), (1.0, 2.0), (1.1, 1.9), (3.0, 30.0), (3.1, 29.0)]
    assert {"few", "many"} <= {text.get_text() for text in axes.texts}
    assert any("1.30" in text.get_text() for text in axes.texts)
    (band,) = axes.patches
    assert band.get_y() + band.get_height() == 1.3
