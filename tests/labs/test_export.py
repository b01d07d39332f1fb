"""An exported graph computes what the torch function computes, gradient and all, at sizes it was not traced at."""

import numpy as np
import onnxruntime
import pytest
import torch

from lewm_lite import seeded
from lewm_lite.labs.export import export_graph, prepared

# torch's exporter calls a function that torch itself has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")

OUTPUTS = ("points", "score", "share", "hidden", "shrunk")


def one_of_everything(points, directions, counts, weight, unused):
    """A gradient step, an output named like an input, a dead unit, and a small constant that matters."""

    def objective(z):
        dead = torch.relu(z - 100).sum()  # never alive: its gradient is 0 everywhere
        return (z @ directions.mT).cos().mean(0).square().mean() + weight * z.square().mean() + dead

    gradient, value = torch.func.grad_and_value(objective)(points)
    return {
        "points": points - 0.1 * gradient,
        "score": value,
        "share": counts / (counts + 1e-8),
        "hidden": torch.func.grad(lambda z: torch.relu(z - 100).square().sum())(points),
        "shrunk": torch.func.grad(lambda c: (c / (c + 1e-8)).sum())(counts),
        "never asked for": points,
    }


def inputs(num_samples, num_directions, seed=0):
    generator = seeded(seed)
    directions = torch.randn(num_directions, 3, generator=generator)
    return {
        "points": torch.randn(num_samples, 3, generator=generator),
        "directions": directions / directions.norm(dim=1, keepdim=True),
        "counts": torch.tensor([0.0, 1.0, 1e-6]),
        "weight": torch.tensor(0.3),
        "unused": torch.ones(2),
    }


DYNAMIC = {"points": {0: "samples"}, "directions": {0: "directions"}}


@pytest.fixture(scope="module")
def graph():
    return export_graph(one_of_everything, inputs(97, 11), dynamic=DYNAMIC, outputs=OUTPUTS)


@pytest.fixture(scope="module")
def session(graph):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # as in the page
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run(session, given):
    return dict(zip(OUTPUTS, session.run(None, {name: t.numpy() for name, t in given.items()}), strict=True))


@pytest.mark.parametrize(("num_samples", "num_directions"), [(97, 11), (2, 2), (5, 64), (300, 3)])
def test_the_graph_agrees_with_torch_at_other_sizes(session, num_samples, num_directions):
    given = inputs(num_samples, num_directions, seed=num_samples)
    expected, found = one_of_everything(**given), run(session, given)
    for name in OUTPUTS:
        assert found[name].shape == tuple(expected[name].shape)
        np.testing.assert_allclose(found[name], expected[name].numpy(), rtol=1e-5, atol=1e-5)


def test_the_gradient_in_the_graph_is_a_gradient(session):
    given = inputs(6, 4, seed=5)
    moved = (given["points"] - torch.from_numpy(run(session, given)["points"])) / 0.1
    nudge = torch.randn(6, 3, generator=seeded(9)) * 1e-3
    up, down = (
        run(session, {**given, "points": given["points"] + sign * nudge})["score"].astype(np.float64)
        for sign in (1, -1)
    )
    assert (moved * nudge).sum().item() == pytest.approx((up - down) / 2, rel=1e-2)


def test_the_graph_s_inputs_keep_their_names_and_order_also_where_unused(session):
    assert [given.name for given in session.get_inputs()] == ["points", "directions", "counts", "weight", "unused"]


def test_an_output_named_like_an_input_is_called_next(session):
    assert [out.name for out in session.get_outputs()] == ["next_points", "score", "share", "hidden", "shrunk"]


def test_only_the_axes_that_were_named_are_free(session):
    shapes = {given.name: given.shape for given in session.get_inputs()}
    samples, directions = shapes["points"].pop(0), shapes["directions"].pop(0)
    assert isinstance(samples, str)
    assert isinstance(directions, str)
    assert samples != directions
    assert shapes == {"points": [3], "directions": [3], "counts": [3], "weight": [], "unused": [2]}
    assert session.get_outputs()[0].shape == [samples, 3]


def test_a_small_added_constant_survives(session):
    found = run(session, inputs(5, 2))
    assert found["share"].tolist() == pytest.approx([0, 1, 1e-6 / (1e-6 + 1e-8)], rel=1e-5)
    assert found["shrunk"][0] == pytest.approx(1e8, rel=1e-5)


def test_a_unit_that_is_dead_has_a_zero_gradient_and_not_a_missing_one(session):
    found = run(session, inputs(5, 2))
    assert found["hidden"].shape == (5, 3)
    assert not found["hidden"].any()


def test_the_graph_is_sound_and_holds_no_trace_of_the_machine_it_was_made_on(graph, root):
    import onnx

    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    assert str(root).encode() not in graph
    assert b".py" not in graph


def test_what_was_prepared_once_stays_as_it_is(graph):
    assert prepared(graph) == graph


def test_one_tensor_given_as_two_inputs_is_refused():
    same = torch.ones(3)
    with pytest.raises(ValueError, match="example inputs a and b are one tensor and would be merged: clone one"):
        export_graph(lambda a, b: {"y": a + b}, {"a": same, "b": same}, dynamic={}, outputs=("y",))


def test_an_output_that_the_function_does_not_return_is_refused():
    with pytest.raises(ValueError, match=r"outputs names \['z'\], but the function returned \['y'\]"):
        export_graph(lambda x: {"y": x + 1}, {"x": torch.ones(3)}, dynamic={}, outputs=("y", "z"))
