"""The functional AdamW step is torch's own, changes nothing that it is given, and can be exported."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.training.step import AdamWConfig, AdamWState, adamw_step

CONFIGS = {
    "plain": AdamWConfig(learning_rate=0.01),
    "decay": AdamWConfig(learning_rate=0.01, weight_decay=0.3),
    "other moments": AdamWConfig(learning_rate=0.1, beta1=0.5, beta2=0.9, epsilon=1e-3),
}


def parameters():
    return {
        "weight": torch.randn(4, 3, generator=seeded(0), dtype=torch.float64),
        "bias": torch.randn(3, generator=seeded(1), dtype=torch.float64),
        "dead": torch.randn(2, generator=seeded(2), dtype=torch.float64),
    }


def gradients(values, step):
    drawn = {
        name: torch.randn(value.shape, generator=seeded(10 + step), dtype=value.dtype) for name, value in values.items()
    }
    return {**drawn, "dead": torch.zeros_like(values["dead"])}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", CONFIGS)
def test_many_steps_equal_those_of_torch_optim(name):
    config, values = CONFIGS[name], parameters()
    theirs = {key: value.clone().requires_grad_() for key, value in values.items()}
    optimiser = torch.optim.AdamW(
        theirs.values(),
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        weight_decay=config.weight_decay,
    )
    state = AdamWState.of(values)
    for step in range(30):
        drawn = gradients(values, step)
        for key, value in theirs.items():
            value.grad = drawn[key].clone()
        optimiser.step()
        values, state = adamw_step(values, drawn, state, config)
    for key, value in values.items():
        # The count of steps is kept in float32, which the page has: its powers are good to seven digits.
        torch.testing.assert_close(value, theirs[key].detach(), rtol=1e-5, atol=1e-7)


def test_a_parameter_without_gradient_stays_where_it_is_and_is_no_nan():
    values = parameters()
    moved, _ = adamw_step(values, gradients(values, 0), AdamWState.of(values), AdamWConfig())
    assert torch.equal(moved["dead"], values["dead"])
    assert not torch.equal(moved["weight"], values["weight"])


def test_what_is_given_stays_as_it_was():
    values = parameters()
    kept = {name: value.clone() for name, value in values.items()}
    state = AdamWState.of(values)
    adamw_step(values, gradients(values, 0), state, AdamWConfig())
    assert all(torch.equal(values[name], kept[name]) for name in kept)
    assert state.steps == 0 and not any(value.any() for value in [*state.mean.values(), *state.square.values()])


def test_gradients_of_other_parameters_are_refused():
    values = parameters()
    with pytest.raises(ValueError, match=r"gradients must be named like parameters, they differ in \['dead'\]"):
        adamw_step(values, {"weight": values["weight"], "bias": values["bias"]}, AdamWState.of(values), AdamWConfig())
