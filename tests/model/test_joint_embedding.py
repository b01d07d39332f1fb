"""Networks as one vector: what goes in comes out by name, and the teacher starts as the encoder."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, from_uniform, init_joint_embedding, pack, unpack
from lewm_lite.model.mlp import init_mlp, mlp

CONFIG = JointEmbeddingConfig(observation_dim=5, hidden_dim=7, dim=3)


def test_packing_and_unpacking_lose_nothing():
    vector = init_joint_embedding(CONFIG, generator=seeded(0))
    named = unpack(vector, CONFIG)
    assert torch.equal(pack(named, CONFIG), vector)
    assert len(vector) == CONFIG.num_parameters() == sum(value.numel() for value in named.values())
    assert named["encoder.weight_0"].shape == (5, 7) and named["predictor.weight_1"].shape == (7, 3)


def test_the_teacher_starts_as_a_copy_and_the_predictor_has_its_own_weights():
    named = unpack(init_joint_embedding(CONFIG, generator=seeded(0)), CONFIG)
    seen = torch.randn(4, 5, generator=seeded(1))
    assert torch.equal(mlp(named, seen, prefix="encoder."), mlp(named, seen, prefix="teacher."))
    assert named["encoder.weight_2"].shape != named["predictor.weight_0"].shape


def test_the_same_numbers_make_the_same_networks_as_drawn_one_by_one():
    generator = seeded(3)
    drawn = torch.rand(CONFIG.num_drawn(), generator=generator) * 2 - 1
    assert torch.equal(from_uniform(drawn, CONFIG), init_joint_embedding(CONFIG, generator=seeded(3)))
    encoder = init_mlp((5, 7, 7, 3), generator=seeded(3))
    assert torch.equal(unpack(from_uniform(drawn, CONFIG), CONFIG)["encoder.weight_1"], encoder["weight_1"])


@pytest.mark.parametrize("change", [{"hidden_dim": 0}, {"dim": -1}, {"observation_dim": 2.5}])
def test_sizes_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match="must be an integer of at least 1"):
        init_joint_embedding(JointEmbeddingConfig(**change), generator=seeded(0))


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=f"must hold the {CONFIG.num_parameters()} parameters"):
        unpack(torch.zeros(3), CONFIG)
    with pytest.raises(TypeError, match="generator"):
        init_joint_embedding(CONFIG, generator=None)


class Normalised(JointEmbeddingConfig):
    def normalised(self):
        return (1,)


def test_a_normalised_layer_starts_as_torchs_own_in_encoder_and_teacher_alone():
    config = Normalised(observation_dim=5, hidden_dim=7, dim=3)
    named = unpack(init_joint_embedding(config, generator=seeded(0)), config)
    plain = unpack(init_joint_embedding(CONFIG, generator=seeded(0)), CONFIG)
    assert set(named) - set(plain) == {
        f"{who}.{what}_1" for who in ("encoder", "teacher") for what in ("scale", "shift")
    }
    seen = torch.randn(2, 9, 5, generator=seeded(1))
    hidden = torch.tanh(seen @ plain["encoder.weight_0"]) @ plain["encoder.weight_1"]
    hidden = torch.tanh(torch.stack([torch.nn.BatchNorm1d(7)(batch) for batch in hidden]))
    for who in ("encoder.", "teacher."):
        torch.testing.assert_close(mlp(named, seen, prefix=who), hidden @ plain["encoder.weight_2"])
