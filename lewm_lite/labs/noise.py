"""Normal numbers picked by their place from a table: fresh ones for ever, the same in torch, ONNX Runtime and the page.

A bank holds only so many rows; a lab that repeats an experiment hundreds of times would meet the same cloud again, and
its repeats would agree with each other more than chance allows. Here a number's row, column and key are scrambled in
whole-number arithmetic, which is exact everywhere, and what comes out says which entry of a table to take.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.checks import check_positive_integer

PRIME = 2**31 - 1  # a product of two numbers below it fits into 64 bits
MOST_ROWS = 2**20


def normal_table(size: int) -> Tensor:
    """``size`` evenly likely values of N(0, 1), its quantiles in the middle of each step, scaled to variance 1.

    Example:
        >>> round(normal_table(1024).square().mean().item(), 6)
        1.0
    """
    check_positive_integer("size", size, minimum=2)
    middle = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    values = math.sqrt(2) * torch.erfinv(2 * middle - 1)
    return (values / values.square().mean().sqrt()).float()


def pick_normal(table: Tensor, rows: Tensor, columns: int, *, key: Tensor) -> Tensor:
    r"""Independent standard normal numbers, as a function of their place.

    Entry (i, j) is ``table[h mod size]`` with $h = (u_i v_j + a)^2 + b$ modulo $2^{31} - 1$, where u comes from the
    row, v from the column, a and b from the key, each scrambled by $x \mapsto x^5$, which is one-to-one.

    Args:
        table: ``(size,)``, from :func:`normal_table`.
        rows: ``(rows,)``, the rows' numbers, from 0 to 2²⁰ - 1.
        columns: how many columns, >= 1.
        key: a scalar whole number from 0 to 2²⁸: another key, other numbers.
    Returns:
        ``(rows, columns)``, the same for the same place and key, whatever else is asked for.
    Source:
        Ours, after the power generators of Lagarias 1990; the tests hold it against the normal law.
    """
    check_positive_integer("columns", columns)
    across = torch.arange(columns, device=rows.device)
    first = _scrambled(_whole(key))
    row, column, shift, last = (
        _scrambled(first + place)
        for place in (_whole(rows), MOST_ROWS + across, -1, -2)  # no two alike
    )
    mixed = (row[:, None] * column + shift) % PRIME
    mixed = (mixed * mixed + last) % PRIME
    return table[mixed % table.shape[0]]


def _whole(number: Tensor) -> Tensor:
    return number.round().long()


def _scrambled(number: Tensor) -> Tensor:
    """x⁵ modulo the prime, twice, with a shift between: one-to-one, and neighbours part."""
    for _ in range(2):
        number = (number + 1_234_567_891) % PRIME
        square = number * number % PRIME
        number = square * square % PRIME * number % PRIME
    return number
