r"""Two moments of a small hidden system, each seen through a nonlinear eye: the task of the early chapters.

The hidden state is Gaussian and turns as time passes; what is seen of it is a fixed random network's output, with noise
of the eye's own on top. Predicting the second moment's embedding from the first's is possible, since the state turns by
a known law, and trivially easy for an encoder that looks at nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import check_generator, check_positive_integer
from lewm_lite.seeding import seeded


@dataclass(frozen=True)
class TwoViewsConfig:
    """The world. The same config is the same world; what is drawn from it is the generator's."""

    state_dim: int = 4  # hidden coordinates, even: they turn in pairs
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
    r"""$x' = \rho R x + \sqrt{1-\rho^2}\,\varepsilon$, seen as $o = \tanh(W_2 \tanh(W_1 x)) + \sigma\eta$.

    Args:
        config: the world's sizes; see :class:`TwoViewsConfig`.
    Raises:
        ValueError: an odd or non-positive ``state_dim``, other sizes below 1, ``memory`` outside [0, 1], or a negative
            ``eye_noise``.
    Example:
        >>> from lewm_lite import seeded
        >>> batch = TwoViews(TwoViewsConfig()).sample(8, generator=seeded(0))
        >>> tuple(batch.first.shape), tuple(batch.state.shape)
        ((8, 64), (8, 4))
    """

    def __init__(self, config: TwoViewsConfig) -> None:
        for name in ("state_dim", "observation_dim", "hidden_dim"):
            check_positive_integer(name, getattr(config, name))
        if config.state_dim % 2:
            raise ValueError(f"state_dim must be even, since the state turns in pairs, got {config.state_dim}")
        if not 0 <= config.memory <= 1:
            raise ValueError(f"memory must be from 0 to 1, got {config.memory!r}")
        if not config.eye_noise >= 0:
            raise ValueError(f"eye_noise must be at least 0, got {config.eye_noise!r}")
        self.config = config
        generator = seeded(config.seed)
        wide = torch.randn(config.state_dim, config.hidden_dim, generator=generator)
        self._inner = wide * 1.5 / math.sqrt(config.state_dim)  # steep enough that the tangent hyperbolic bends
        narrow = torch.randn(config.hidden_dim, config.observation_dim, generator=generator)
        self._outer = narrow * 2 / math.sqrt(config.hidden_dim)
        angles = math.pi / (2 + torch.arange(config.state_dim // 2, dtype=torch.float32))
        self.turn = torch.block_diag(*(_plane_turn(angle) for angle in angles))

    def sample(self, num_samples: int, *, generator: torch.Generator) -> TwoMoments:
        """Independent pairs of successive moments.

        Args:
            num_samples: pairs, >= 1.
            generator: the source of states and of the eye's noise.
        """
        check_positive_integer("num_samples", num_samples)
        check_generator(generator)
        shape = (num_samples, self.config.state_dim)
        state = torch.randn(shape, generator=generator)
        news = torch.randn(shape, generator=generator)
        memory = self.config.memory
        later = memory * state @ self.turn.mT + math.sqrt(1 - memory**2) * news
        return TwoMoments(self.look(state, generator=generator), self.look(later, generator=generator), state)

    def look(self, state: Tensor, *, generator: torch.Generator) -> Tensor:
        """One observation of each state: ``(batch, state_dim)`` -> ``(batch, observation_dim)``."""
        seen = torch.tanh(torch.tanh(state @ self._inner) @ self._outer)
        return seen + self.config.eye_noise * torch.randn(seen.shape, generator=generator)


def _plane_turn(angle: Tensor) -> Tensor:
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
