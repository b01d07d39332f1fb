r"""One AdamW step as a function of tensors: the same function trains in a chapter and, exported, in the page.

``torch.optim`` imports a compiler on first use, which takes seconds, and cannot be exported; this step is tested equal
to ``torch.optim.AdamW``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class AdamWConfig:
    """The optimiser's constants."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0  # decoupled: a share of each parameter per step, times the learning rate


@dataclass(frozen=True)
class AdamWState:
    """Where the optimiser is: two running moments per parameter, and the number of steps taken."""

    mean: dict[str, Tensor]
    square: dict[str, Tensor]
    steps: Tensor  # a scalar

    @classmethod
    def of(cls, parameters: Tensors) -> AdamWState:
        """The state before the first step."""
        zeros = {name: torch.zeros_like(value) for name, value in parameters.items()}
        return cls(zeros, {name: value.clone() for name, value in zeros.items()}, torch.tensor(0.0))


def adamw_step(
    parameters: Tensors, gradients: Tensors, state: AdamWState, config: AdamWConfig
) -> tuple[dict[str, Tensor], AdamWState]:
    r"""New parameters and a new state; what is given stays as it is.

    $m \leftarrow \beta_1 m + (1-\beta_1) g$, $v \leftarrow \beta_2 v + (1-\beta_2) g^2$,
    $\theta \leftarrow (1 - \eta w)\,\theta - \eta\,\frac{m/(1-\beta_1^k)}{\sqrt{v/(1-\beta_2^k)} + \epsilon}$

    Args:
        parameters, gradients: tensors by name, the same names in both.
        state: from :meth:`AdamWState.of` or the step before.
        config: the constants.
    Raises:
        ValueError: gradients for other parameters than those given.
    Source:
        Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2, in the form of ``torch.optim.AdamW``.
    """
    if parameters.keys() != gradients.keys():
        raise ValueError(
            f"gradients must be named like parameters, they differ in {sorted(set(parameters) ^ set(gradients))}"
        )
    steps = state.steps + 1
    mean_share, square_share = 1 - config.beta1**steps, 1 - config.beta2**steps
    new: dict[str, Tensor] = {}
    mean: dict[str, Tensor] = {}
    square: dict[str, Tensor] = {}
    for name, value in parameters.items():
        gradient = gradients[name]
        mean[name] = config.beta1 * state.mean[name] + (1 - config.beta1) * gradient
        square[name] = config.beta2 * state.square[name] + (1 - config.beta2) * gradient * gradient
        size = torch.sqrt(square[name] / square_share) + config.epsilon
        kept = value * (1 - config.learning_rate * config.weight_decay)
        new[name] = kept - config.learning_rate * (mean[name] / mean_share) / size
    return new, AdamWState(mean, square, steps)
