r"""The empirical characteristic function of many samples at evenly spaced frequencies, with its gradient.

$\hat\varphi(k\,dt) = \frac1N\sum_n u_n^k$ with $u_n = e^{i\,dt\,x_n}$: a few low and a few high powers of one complex
number per value, multiplied as matrices, give all frequencies; the gradient is a polynomial in the same number.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class CharacteristicFunction(torch.autograd.Function):
    """Means of cos(k·dt·x) and sin(k·dt·x), k = 1…n, over the last axis; keeps only x for the backward pass."""

    generate_vmap_rule = True

    @staticmethod
    def forward(samples: Tensor, num_frequencies: int, dt: float) -> tuple[Tensor, Tensor]:
        """``(*leading, samples)`` -> real and imaginary parts, each ``(*leading, num_frequencies)``."""

        def means(rows: Tensor) -> Tensor:
            low, high = _powers(rows, num_frequencies, dt)
            products = low @ high.mT / rows.shape[-1]  # every power is a low one times a high one
            (rr, ri), (ir, ii) = ((half.tensor_split(2, -1)) for half in products.tensor_split(2, -2))
            both = torch.stack([rr - ii, ri + ir], dim=-3)  # (rows, 2, low, high)
            return both.mT.flatten(-2)[..., :num_frequencies]

        with torch.autocast(samples.device.type, enabled=False):
            found = _in_chunks(means, num_frequencies, samples.flatten(0, -2))
        real, imag = found.unflatten(0, samples.shape[:-1]).unbind(-2)
        return real, imag

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        """Keep the samples alone: their powers are made again when the gradient is wanted."""
        samples, ctx.num_frequencies, ctx.dt = inputs
        ctx.save_for_backward(samples)

    @staticmethod
    def backward(ctx, grad_real: Tensor, grad_imag: Tensor):
        """The gradient of the samples, ``(*leading, samples)``; it can be differentiated again."""
        # d/dx sum_k [a_k cos(k dt x) + b_k sin(k dt x)] = dt · Re sum_k k (b_k + i a_k) u^k with u = e^{i dt x}: a
        # polynomial in u, evaluated block by block. With k = low + block · high the inner sums are one matrix product.
        (samples,) = ctx.saved_tensors
        count, block = ctx.num_frequencies, _block(ctx.num_frequencies)
        k = torch.arange(1, count + 1, dtype=samples.dtype, device=samples.device)
        weights = torch.stack([k * grad_imag, k * grad_real], -2).flatten(0, -3)  # (rows, 2, count)
        weights = torch.nn.functional.pad(weights, (0, -count % block)).unflatten(-1, (-1, block))

        def slopes(rows: Tensor, weights: Tensor) -> Tensor:
            low, high = _powers(rows, count, ctx.dt)
            real, imag = weights.unbind(-3)  # (rows, high, low)
            # The lower half comes out negated, so that multiplying by `high` and adding takes the real part.
            # Stacked and flattened: under vmap a concatenation would fix the number of rows in an exported graph.
            upper, lower = torch.stack([real, -imag], -2), torch.stack([-imag, -real], -2)
            inner = torch.stack([upper, lower], -4).flatten(-2).flatten(-3, -2) @ low
            return (high * inner).sum(-2)

        rows = samples.flatten(0, -2)
        with torch.autocast(samples.device.type, enabled=False):
            slope = _in_chunks(slopes, count, rows, weights)
        return slope.unflatten(0, samples.shape[:-1]) * (ctx.dt / samples.shape[-1]), None, None


_CHUNK = 1 << 19  # numbers worked on at once: they fit a processor's cache, and memory does not grow with knots
_CHUNK_ELSEWHERE = 1 << 21  # a chunk is some hundred small operations, and an accelerator waits for each: fewer, larger


def _block(count: int) -> int:
    """How many low powers there are: about as many as high ones."""
    block = 1
    while block * block < count:  # not math.isqrt, which a compiled graph cannot hold
        block += 1
    return block


def _powers(rows: Tensor, count: int, dt: float) -> tuple[Tensor, Tensor]:
    """Powers 1…block of u = e^{i dt x}, and powers 0, block, 2 block, … up to ``count``: real parts above imaginary.

    ``(rows, samples)`` -> ``(rows, 2 block, samples)`` and ``(rows, 2 blocks, samples)``. One sine and one cosine.
    """
    block = _block(count)
    low = [(torch.cos(rows * dt), torch.sin(rows * dt))]
    for power in range(2, block + 1):
        low.append(_product(low[power // 2 - 1], low[power - power // 2 - 1]))
    high = [(torch.ones_like(rows), torch.zeros_like(rows))]
    for number in range(1, -(-count // block)):
        high.append(low[-1] if number == 1 else _product(high[-1], low[-1]))
    return tuple(torch.stack([*(z[0] for z in stack), *(z[1] for z in stack)], -2) for stack in (low, high))


def _product(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The product of two complex numbers, each as its real and imaginary part."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _in_chunks(function: Callable[..., Tensor], count: int, rows: Tensor, *others: Tensor) -> Tensor:
    """``function`` of a few rows at a time, so that the powers of all rows never exist at once."""
    chunk = _CHUNK if rows.device.type == "cpu" else _CHUNK_ELSEWHERE
    size = max(1, chunk // (4 * _block(count) * rows.shape[-1]))
    if rows.shape[0] <= size:
        return function(rows, *others)
    parts = zip(*(tensor.split(size) for tensor in (rows, *others)), strict=True)
    return torch.cat([function(*part) for part in parts])
