"""Encoder, predictor, and the loss with its gradient become graphs that compute what torch computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from small_world_model import SMALL
from torch import nn

from lewm_lite import random_directions, seeded
from lewm_lite.labs.export import export_graph
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.training.world_model_loss import loss_and_gradient

# Free axes are traced with sizes that nothing else has: equal ones would be taken for one.
# torch's exporter calls a function that torch itself has deprecated.
pytestmark = [pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"), pytest.mark.slow]

TINY = replace(SMALL, dropout=0.0)


@pytest.fixture(scope="module")
def model():
    made = LeWorldModel(TINY, action_dim=5, generator=seeded(0)).eval()
    for block in made.predictor.blocks:
        nn.init.normal_(block.modulation.weight, std=0.5, generator=seeded(1))
    for projector in (made.projector, made.prediction_projector):  # as after some training
        nn.init.normal_(projector.norm.running_mean, std=0.3, generator=seeded(2))
        nn.init.uniform_(projector.norm.running_var, 0.5, 2, generator=seeded(3))
    return made


def drawn(seed, *shape):
    return torch.randn(shape, generator=seeded(seed))


def run(graph, given):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: tensor.numpy() for name, tensor in given.items()})
    return [torch.from_numpy(np.asarray(value)) for value in found]


def test_the_encoder_s_graph_agrees_with_torch_at_other_numbers_of_clips_and_frames(model):
    graph = export_graph(
        lambda frames: {"embeddings": model.encode(frames)},
        {"frames": drawn(0, 5, 7, 3, 8, 8)},
        dynamic={"frames": {0: "batch", 1: "time"}},
        outputs=("embeddings",),
    )
    for batch, time in ((2, 3), (6, 2)):
        frames = drawn(batch, batch, time, 3, 8, 8)
        torch.testing.assert_close(run(graph, {"frames": frames})[0], model.encode(frames).detach())


def test_the_predictor_s_graph_agrees_with_torch_and_is_causal_too(model):
    graph = export_graph(
        lambda embeddings, actions: {"predictions": model.predict(embeddings, actions)},
        {"embeddings": drawn(0, 13, 3, 8), "actions": drawn(1, 13, 3, 5)},
        dynamic={"embeddings": {0: "batch"}, "actions": {0: "batch"}},
        outputs=("predictions",),
    )
    given = {"embeddings": drawn(2, 11, 3, 8), "actions": drawn(3, 11, 3, 5)}
    (found,) = run(graph, given)
    torch.testing.assert_close(found, model.predict(**given).detach())
    given["actions"][:, 2, 0] += 1
    (after,) = run(graph, given)
    assert torch.equal(after[:, :2], found[:, :2]) and not torch.allclose(after[:, 2], found[:, 2], atol=1e-3)


def test_the_loss_s_graph_and_its_gradient_agree_with_torch(model):
    trained = LeWorldModel(TINY, action_dim=5, generator=seeded(4))  # in training mode
    trained.load_state_dict(model.state_dict())
    names = [name for name, _ in trained.named_parameters()]
    inputs = [f"parameter_{place}" for place in range(len(names))]
    outputs = ("total", "prediction", "sigreg", *(f"gradient_{place}" for place in range(len(names))))

    def compute(frames, actions, directions, sigreg_weight, **given):
        parameters = dict(zip(names, (given[name] for name in inputs), strict=True))
        loss, gradient = loss_and_gradient(trained, parameters, frames, actions, directions, sigreg_weight)
        return {**loss._asdict(), **{f"gradient_{place}": gradient[name] for place, name in enumerate(names)}}

    def example(batch, num_directions):
        parameters = [value.detach() + 0.1 * drawn(batch, *value.shape) for value in trained.parameters()]
        return {
            "frames": drawn(batch, batch, 4, 3, 8, 8),
            "actions": drawn(batch + 1, batch, 4, 5),
            "directions": random_directions(8, num_directions, generator=seeded(batch)),
            "sigreg_weight": torch.tensor(0.09 * batch),
            **dict(zip(inputs, parameters, strict=True)),
        }

    graph = export_graph(
        compute,
        example(13, 17),
        dynamic={"frames": {0: "batch"}, "actions": {0: "batch"}, "directions": {1: "directions"}},
        outputs=outputs,
    )
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    given = example(6, 33)
    wanted = compute(**given)
    largest = max(wanted[name].abs().max().item() for name in outputs[3:])
    for name, found in zip(outputs, run(graph, given), strict=True):
        torch.testing.assert_close(found, wanted[name], rtol=1e-4, atol=1e-5 * largest)
    assert sum(wanted[name].abs().max() > 1e-3 * largest for name in outputs[3:]) > len(names) / 2
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())
