"""The networks of a small joint-embedding model as one vector of numbers: encoder, predictor, and a teacher's encoder.

One vector per model lets several models train side by side as rows of one tensor, and gives the page a single input.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_generator
from lewm_lite.model.mlp import mlp, mlp_from_uniform, num_weights


@dataclass(frozen=True)
class JointEmbeddingConfig:
    """Sizes of the networks."""

    observation_dim: int = 64
    hidden_dim: int = 64  # width of the encoder's two hidden layers, and of the predictor's one
    dim: int = 16  # of an embedding

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Layer widths of each network, by its prefix; the teacher's encoder has the encoder's."""
        encoder = (self.observation_dim, self.hidden_dim, self.hidden_dim, self.dim)
        return {"encoder.": encoder, "predictor.": (self.dim, self.hidden_dim, self.dim), "teacher.": encoder}

    def normalised(self) -> tuple[int, ...]:
        """Layers of the encoder, counted from 0, that end in BatchNorm: see :func:`lewm_lite.model.mlp.mlp`."""
        return ()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, in the order in which they stand in the vector."""
        shapes: dict[str, tuple[int, ...]] = {}
        for prefix, sizes in self.sizes().items():
            for layer, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
                shapes[f"{prefix}weight_{layer}"] = (fan_in, fan_out)
                shapes[f"{prefix}bias_{layer}"] = (fan_out,)
                if prefix != "predictor." and layer in self.normalised():
                    shapes |= {f"{prefix}scale_{layer}": (fan_out,), f"{prefix}shift_{layer}": (fan_out,)}
        return shapes

    def num_drawn(self) -> int:
        """How many numbers are drawn for a start: the weights of encoder and predictor."""
        return sum(num_weights(widths) for prefix, widths in self.sizes().items() if prefix != "teacher.")

    def num_parameters(self) -> int:
        """How long the vector is."""
        return sum(math.prod(shape) for shape in self.shapes().values())


def init_joint_embedding(config: JointEmbeddingConfig, *, generator: torch.Generator) -> Tensor:
    """One model's first parameters, ``(parameters,)``, of numbers drawn now: see :func:`from_uniform`.

    Raises:
        ValueError: a size below 1. TypeError: no generator.
    """
    check_generator(generator)
    return from_uniform(torch.rand(config.num_drawn(), generator=generator) * 2 - 1, config)


def from_uniform(uniform: Tensor, config: JointEmbeddingConfig) -> Tensor:
    """Numbers from -1 to 1, ``(num_drawn,)`` -> ``(parameters,)``; the teacher starts as a copy of the encoder."""
    sizes = config.sizes()
    own = num_weights(sizes["encoder."])
    encoder = mlp_from_uniform(sizes["encoder."], uniform[:own], prefix="encoder.")
    for layer in config.normalised():
        encoder[f"encoder.scale_{layer}"] = torch.ones(sizes["encoder."][layer + 1])
        encoder[f"encoder.shift_{layer}"] = torch.zeros(sizes["encoder."][layer + 1])
    rest = (
        {} if "predictor." not in sizes else mlp_from_uniform(sizes["predictor."], uniform[own:], prefix="predictor.")
    )
    teacher = {name.replace("encoder.", "teacher."): value for name, value in encoder.items()}
    return pack({**encoder, **rest, **teacher}, config)


def predicted(network: dict[str, Tensor], embeddings: Tensor) -> Tensor:
    """What the predictor makes of embeddings; a network without one takes them for the prediction as they are."""
    if "predictor.weight_0" not in network:
        return embeddings
    return mlp(network, embeddings, prefix="predictor.")


def pack(parameters: dict[str, Tensor], config: JointEmbeddingConfig) -> Tensor:
    """Parameters by name -> ``(parameters,)``, in the order of :meth:`JointEmbeddingConfig.shapes`."""
    return torch.cat([parameters[name].reshape(-1) for name in config.shapes()])


def unpack(vector: Tensor, config: JointEmbeddingConfig) -> dict[str, Tensor]:
    """``(parameters,)`` -> parameters by name.

    Raises:
        ShapeError: a vector of another length than the configuration's.
    """
    if vector.shape != (config.num_parameters(),):
        raise ShapeError(
            f"vector must hold the {config.num_parameters()} parameters of {config}, got shape {tuple(vector.shape)}"
        )
    parts = vector.split([math.prod(shape) for shape in config.shapes().values()])
    return {name: part.reshape(shape) for (name, shape), part in zip(config.shapes().items(), parts, strict=True)}
