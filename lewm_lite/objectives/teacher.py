r"""The older machinery against collapse: a slowly moving copy of the encoder, and targets that carry no gradient."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lewm_lite.checks import check_positive_integer


def check_momentum(momentum: float) -> None:
    """Refuse a momentum outside [0, 1]."""
    if isinstance(momentum, bool) or not isinstance(momentum, int | float) or not 0 <= momentum <= 1:
        raise ValueError(f"momentum must be a number from 0 to 1, got {momentum!r}")


def cosine_momentum(step: int, *, total_steps: int, start: float = 0.996) -> float:
    r"""The momentum at a step: $1 - (1 - m_0)\,(\cos(\pi k / K) + 1)/2$, from ``start`` up to 1.

    Args:
        step: k, from 0 to ``total_steps``. total_steps: K, >= 1. start: $m_0$, from 0 to 1.
    Raises:
        ValueError: a step or a momentum out of its range.
    Source:
        Grill et al. 2020 (BYOL), arXiv:2006.07733, section 3.3 and appendix: base 0.996, the same cosine.
    """
    check_positive_integer("total_steps", total_steps)
    check_momentum(start)
    if not 0 <= step <= total_steps:
        raise ValueError(f"step must be from 0 to total_steps = {total_steps}, got {step!r}")
    return 1 - (1 - start) * (math.cos(math.pi * step / total_steps) + 1) / 2


def averaged(
    teacher: Mapping[str, Tensor], student: Mapping[str, Tensor], momentum: Tensor | float
) -> dict[str, Tensor]:
    r"""One update of a teacher, as a function: $\theta' \leftarrow m\,\theta' + (1 - m)\,\theta$ for every tensor.

    Args:
        teacher, student: parameters by name, of one shape each.
        momentum: m, from 0 (the student itself) to 1 (never moves).
    Raises:
        ValueError: the two do not have the same names.
    """
    if teacher.keys() != student.keys():
        differing = sorted(set(teacher) ^ set(student))
        raise ValueError(f"teacher and student must have the same parameters, they differ in {differing}")
    return {name: momentum * kept + (1 - momentum) * student[name].detach() for name, kept in teacher.items()}


class EMATeacher(nn.Module):
    r"""A copy of the student that follows it slowly and is never trained.

    $\theta' \leftarrow m\,\theta' + (1 - m)\,\theta$. Its outputs carry no gradient to either copy, so targets from it
    are stop-gradient targets as well. Buffers, such as a BatchNorm's running statistics, are taken over as they are.

    Args:
        student: the module to follow; it is copied, not kept.
        momentum: m, from 0 to 1; ``update`` takes another for a schedule such as :func:`cosine_momentum`.
    Raises:
        ValueError: ``momentum`` outside [0, 1].
    Source:
        Grill et al. 2020 (BYOL), arXiv:2006.07733, section 3.1; Bardes et al. 2024 (V-JEPA), arXiv:2404.08471.
    Example:
        >>> import torch
        >>> student = torch.nn.Linear(2, 2)
        >>> teacher = EMATeacher(student, momentum=0.9)
        >>> teacher(torch.ones(1, 2)).requires_grad
        False
    """

    def __init__(self, student: nn.Module, *, momentum: float) -> None:
        super().__init__()
        check_momentum(momentum)
        self.momentum = momentum
        self.copy = copy.deepcopy(student).requires_grad_(False)

    @torch.no_grad()
    def update(self, student: nn.Module, *, momentum: float | None = None) -> None:
        """Move towards the student, once per training step, after the student's own step."""
        momentum = self.momentum if momentum is None else momentum
        check_momentum(momentum)
        moved = averaged(dict(self.copy.named_parameters()), dict(student.named_parameters()), momentum)
        for name, parameter in self.copy.named_parameters():
            parameter.copy_(moved[name])
        buffers = dict(student.named_buffers())
        for name, buffer in self.copy.named_buffers():
            buffer.copy_(buffers[name])

    @torch.no_grad()
    def forward(self, *inputs: Tensor) -> Tensor:
        """What the copy makes of the inputs, without gradient."""
        return self.copy(*inputs)
