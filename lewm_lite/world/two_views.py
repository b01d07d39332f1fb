r"""Two moments of a small hidden system, each seen through a nonlinear eye: the task of the early chapters.

The hidden state is Gaussian and turns as time passes. Beside it the eye sees distractions that are new at every moment
and tell nothing of the next. What is seen is a fixed random network's output, with noise of the eye's own on top.
Predicting the second moment's embedding from the first's is possible, since the state turns by a known law, and
trivially easy for an encoder that looks at nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_floating, check_generator, check_positive_integer
from lewm_lite.seeding import seeded


@dataclass(frozen=True)
class TwoViewsConfig:
    """The world. The same config is the same world; what is drawn from it is the generator's."""

    state_dim: int = 4  # hidden coordinates, even: they turn in pairs
    distraction_dim: int = 8  # what is seen beside the state, drawn anew at every moment
    observation_dim: int = 64  # numbers in one observation
    hidden_dim: int = 64  # width of the eye
    memory: float = 0.95  # correlation of the state with its turned predecessor, from 0 to 1
    eye_noise: float = 0.1  # standard deviation of what each look adds, in units of an observation's own
    seed: int = 0  # of the eye's fixed weights


@dataclass(frozen=True)
class TwoMoments:
    """A batch of pairs: ``first`` and ``second`` are observations, ``state`` is the state behind ``first``."""

    first: Tensor  # (batch, observation_dim)
    second: Tensor  # (batch, observation_dim)
    state: Tensor  # (batch, state_dim), standard normal


class TwoViews:
    r"""$x' = \rho R x + \sqrt{1-\rho^2}\,\varepsilon$, seen as $o = \tanh(W_2 \tanh(W_1 [x, d])) + \sigma\eta$.

    $d$ is the distraction of the moment: standard normal, independent of everything else.

    Args:
        config: the world's sizes; see :class:`TwoViewsConfig`.
    Raises:
        ValueError: an odd or non-positive ``state_dim``, other sizes below 1 (``distraction_dim`` below 0), ``memory``
            outside [0, 1], or a negative ``eye_noise``.
    Example:
        >>> from lewm_lite import seeded
        >>> batch = TwoViews(TwoViewsConfig()).sample(8, generator=seeded(0))
        >>> tuple(batch.first.shape), tuple(batch.state.shape)
        ((8, 64), (8, 4))
    """

    def __init__(self, config: TwoViewsConfig) -> None:
        for name in ("state_dim", "observation_dim", "hidden_dim"):
            check_positive_integer(name, getattr(config, name))
        check_positive_integer("distraction_dim", config.distraction_dim, minimum=0)
        if config.state_dim % 2:
            raise ValueError(f"state_dim must be even, since the state turns in pairs, got {config.state_dim}")
        if not 0 <= config.memory <= 1:
            raise ValueError(f"memory must be from 0 to 1, got {config.memory!r}")
        if not config.eye_noise >= 0:
            raise ValueError(f"eye_noise must be at least 0, got {config.eye_noise!r}")
        self.config = config
        generator = seeded(config.seed)
        seen_dim = config.state_dim + config.distraction_dim
        wide = torch.randn(seen_dim, config.hidden_dim, generator=generator)
        self._inner = wide * 1.5 / math.sqrt(seen_dim)  # steep enough that the tangent hyperbolic bends
        narrow = torch.randn(config.hidden_dim, config.observation_dim, generator=generator)
        self._outer = narrow * 2 / math.sqrt(config.hidden_dim)
        angles = math.pi / (2 + torch.arange(config.state_dim // 2, dtype=torch.float32))
        self.turn = torch.block_diag(*(_plane_turn(angle) for angle in angles))

    @property
    def noise_dims(self) -> tuple[int, int]:
        """How many standard normal values one pair is made of: those behind both moments, and those of both looks."""
        config = self.config
        return 2 * (config.state_dim + config.distraction_dim), 2 * config.observation_dim

    def sample(self, num_samples: int, *, generator: torch.Generator) -> TwoMoments:
        """Independent pairs of successive moments.

        Args:
            num_samples: pairs, >= 1.
            generator: the source of states, distractions and the eye's noise.
        """
        check_positive_integer("num_samples", num_samples)
        check_generator(generator)
        hidden, looks = (torch.randn(num_samples, dim, generator=generator) for dim in self.noise_dims)
        return self.moments(hidden, looks)

    def moments(self, hidden: Tensor, looks: Tensor) -> TwoMoments:
        """The pairs made of given standard normal values, the same here and inside an exported graph.

        Args:
            hidden: ``(batch, noise_dims[0])``: first state, news of the second, then each moment's distractions.
            looks: ``(batch, noise_dims[1])``: the eye's noise at each moment.
        Raises:
            ShapeError: another number of columns than ``noise_dims`` says.
        """
        for name, given, dim in zip(("hidden", "looks"), (hidden, looks), self.noise_dims, strict=True):
            check_floating(name, given)
            if given.ndim != 2 or given.shape[1] != dim:
                raise ShapeError(f"{name} must be (batch, {dim}) in this world, got shape {tuple(given.shape)}")
        config = self.config
        sizes = [config.state_dim, config.state_dim, config.distraction_dim, config.distraction_dim]
        state, news, first, second = hidden.split(sizes, dim=1)
        later = config.memory * state @ self.turn.mT + math.sqrt(1 - config.memory**2) * news
        eye_first, eye_second = looks.chunk(2, dim=1)
        return TwoMoments(self._look(state, first, eye_first), self._look(later, second, eye_second), state)

    def _look(self, state: Tensor, distraction: Tensor, noise: Tensor) -> Tensor:
        seen = torch.tanh(torch.tanh(torch.cat([state, distraction], 1) @ self._inner) @ self._outer)
        return seen + self.config.eye_noise * noise


def _plane_turn(angle: Tensor) -> Tensor:
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
