"""Pictures of slicing hold the dots that were measured and the names of their curves."""

import numpy as np

from lewm_lite.figures.slicing import kernels_picture, slicing_picture


def test_measured_errors_are_dots_on_lines_that_fall_as_the_root_of_k():
    errors = {"D = 2": [0.8, 0.41, 0.19], "D = 64": [0.5, 0.25, 0.13]}
    picture = slicing_picture((1, 4, 16), errors, alt="Errors fall as the root of the number of directions.")
    (axes,) = picture.figure.axes
    lines = {tuple(line.get_ydata()): line.get_marker() for line in axes.lines}
    assert lines[0.8, 0.41, 0.19] == "o" and lines[0.5, 0.25, 0.13] == "o"
    assert (0.8, 0.4, 0.2) in lines
    assert axes.get_xscale() == axes.get_yscale() == "log"
    drawing = picture.svg()
    assert "D = 2" in drawing and "D = 64" in drawing


def test_a_kernel_is_named_where_it_is_half_as_high():
    distances = np.linspace(0, 8, 81)
    kernels = {"one direction": np.exp(-(distances**2) / 2), "D = 64": np.exp(-(distances**2) / 128)}
    picture = kernels_picture(distances, kernels, alt="Two kernels by distance, the second one wider.")
    (axes,) = picture.figure.axes
    assert len(axes.lines) == 2
    places = {text.get_text(): text.xy[0] for text in axes.texts}
    assert 1 < places["one direction"] < 1.3 and places["D = 64"] > 4
