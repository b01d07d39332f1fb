"""The small network equals torch's own layers, and refuses what does not fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lewm_lite import ShapeError, seeded
from lewm_lite.model.mlp import init_mlp, mlp


def test_it_is_affine_layers_with_tanh_between_them():
    parameters = init_mlp((5, 7, 6, 3), generator=seeded(0))
    layers = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 6), nn.Tanh(), nn.Linear(6, 3))
    with torch.no_grad():
        for number, layer in enumerate(layer for layer in layers if isinstance(layer, nn.Linear)):
            layer.weight.copy_(parameters[f"weight_{number}"].T)
            layer.bias.copy_(parameters[f"bias_{number}"] + 0.1 * number)
            parameters[f"bias_{number}"] = parameters[f"bias_{number}"] + 0.1 * number
    inputs = torch.randn(4, 2, 5, generator=seeded(1))
    torch.testing.assert_close(mlp(parameters, inputs), layers(inputs))


def test_weights_stay_within_one_over_the_root_of_the_fan_in_and_keep_the_scale_of_what_they_see():
    parameters = init_mlp((400, 300), generator=seeded(0))
    assert parameters["weight_0"].abs().max() <= 1 / 20
    assert parameters["weight_0"].std().item() == pytest.approx(1 / 20 / 3**0.5, rel=0.02)
    assert not parameters["bias_0"].any()


def test_two_networks_share_a_dictionary_under_two_prefixes():
    both = {
        **init_mlp((3, 4), generator=seeded(0), prefix="encoder_"),
        **init_mlp((4, 4, 2), generator=seeded(1), prefix="predictor_"),
    }
    embeddings = mlp(both, torch.ones(6, 3), prefix="encoder_")
    assert mlp(both, embeddings, prefix="predictor_").shape == (6, 2)
    assert not any(name.startswith("weight") for name in both)


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0), (3, 2.5)])
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(ValueError, match="sizes must"):
        init_mlp(sizes, generator=seeded(0))


def test_inputs_of_another_width_and_a_prefix_of_nobody_are_refused():
    parameters = init_mlp((3, 2), generator=seeded(0))
    with pytest.raises(ShapeError, match=r"inputs must be \(\*leading, 3\), got shape \(5, 4\)"):
        mlp(parameters, torch.ones(5, 4))
    with pytest.raises(KeyError, match="no layer named encoder_weight_0"):
        mlp(parameters, torch.ones(5, 3), prefix="encoder_")
