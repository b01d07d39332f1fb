r"""SIGReg: how far a cloud of embeddings is from the standard Gaussian, seen through its shadows.

One idea in three steps: draw unit directions, project the cloud on each (a shadow), and compare the empirical
characteristic function of each shadow with that of N(0, 1), on evenly spaced knots. Because the knots are evenly
spaced, $e^{i t_k x} = (e^{i\,dt\,x})^k$: one sine and one cosine per projection give every knot by multiplication, and
the gradient is a polynomial in the same number. A few low and a few high powers, multiplied as matrices, stand for all.
Value and gradient equal the direct formula's; nothing of size knots x samples x directions is ever stored.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lewm_lite.checks import at_least_float32, check_embeddings, check_positive_integer, check_positive_number
from lewm_lite.objectives.characteristic import CharacteristicFunction
from lewm_lite.objectives.directions import check_directions, random_directions


def quadrature(knots: int, t_max: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Frequencies and weights of the statistic's integral, ``(knots - 1,)`` each, of the dtype and device of ``like``.

    The knot at 0 is left out: there every characteristic function is 1. The weights are the window $e^{-t^2/2}$ times
    the trapezoid rule; the integrand is even, so that the rule on [-t_max, t_max] folds onto [0, t_max].
    """
    dt = t_max / (knots - 1)
    t = dt * torch.arange(1, knots, dtype=like.dtype, device=like.device)
    trapezoid = 2 * dt * torch.ones_like(t)
    return t, torch.cat([trapezoid[:-1], trapezoid[-1:] / 2]) * torch.exp(-t * t / 2)


def distance(shadows: Tensor, wanted: Callable[[Tensor], Tensor], *, knots: int, t_max: float) -> Tensor:
    """How far each shadow's characteristic function is from a wanted, real one, times the number of samples.

    Args:
        shadows: ``(*leading, samples)``, not checked. Under ``torch.distributed`` the samples are all processes'.
        wanted: frequencies ``(knots - 1,)`` -> the characteristic function there, broadcast over ``(*leading,)``.
        knots, t_max: as in :func:`epps_pulley`.
    Returns:
        ``(*leading,)``.
    """
    t, weights = quadrature(knots, t_max, shadows)
    gap, count = gap_on_multiples(shadows, wanted(t), weights, dt=t_max / (knots - 1))
    return count * gap


def gap_on_multiples(shadows: Tensor, wanted: Tensor, weights: Tensor, *, dt: float) -> tuple[Tensor, Tensor | int]:
    """The weighted squared gap at the frequencies dt, 2 dt, 3 dt, …, and of how many samples: all processes' together.

    Args:
        shadows: ``(*leading, samples)``, not checked.
        wanted: the real characteristic function at the frequencies, ``(frequencies,)`` or one per shadow.
        weights: ``(frequencies,)``, 0 where a frequency is not looked at.
        dt: the smallest frequency.
    Returns:
        ``(*leading,)``, and N.
    """
    real, imag = CharacteristicFunction.apply(shadows, len(weights), dt)
    real, imag, count = _average_over_processes(real, imag, shadows.shape[-1])
    return (((real - wanted).square() + imag.square()) * weights).sum(-1), count


def bell(t: Tensor) -> Tensor:
    """The characteristic function of N(0, 1)."""
    return torch.exp(-t * t / 2)


def _average_over_processes(real: Tensor, imag: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor | int]:
    """Under ``torch.distributed``: the means over the whole batch, weighted by each process's share of samples."""
    if not _many_processes():
        return real, imag, count
    from torch.distributed.nn.functional import all_reduce  # the differentiable one

    total = torch.tensor(float(count), dtype=real.dtype, device=real.device)
    dist.all_reduce(total)
    real, imag = all_reduce(torch.stack([real, imag]) * (count / total))
    return real, imag, total


def _many_processes() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


Score = Callable[[Tensor, Tensor], Tensor]  # (*leading, samples, dim), (dim, num_directions) -> scalar


def epps_pulley(projections: Tensor, *, knots: int = 17, t_max: float = 3.0) -> Tensor:
    r"""Distance of each one-dimensional sample from N(0, 1), through characteristic functions.

    $$T = N \int_{-t_{max}}^{t_{max}} \left|\hat\varphi(t) - e^{-t^2/2}\right|^2 e^{-t^2/2}\,dt,
    \qquad \hat\varphi(t) = \frac1N \sum_{n=1}^N e^{i t x_n},$$

    by the trapezoid rule on ``knots`` points of ``[0, t_max]``, doubled because the integrand is even. It asks for mean
    0 *and* variance 1, not for normality alone. It never averages to zero: N values drawn from N(0, 1) score about 1.05
    whatever N is; all values at 0 score 0.40205 N (at the default knots).

    Args:
        projections: ``(*leading, samples, num_directions)``; axis -2 is the sample.
        knots: quadrature points on ``[0, t_max]``, odd and >= 3, the point 0 included.
        t_max: largest frequency, > 0, in 1 / (unit of ``projections``).
    Returns:
        ``(*leading, num_directions)``: one statistic per shadow, >= 0, dimensionless.
    Raises:
        ShapeError: fewer than two axes or two samples.
        TypeError: integers. ValueError: NaN, infinity, a bad ``knots`` or ``t_max``.
    Source:
        Epps & Pulley 1983; Balestriero & LeCun 2025, arXiv:2511.08544, section 4.2.3, and the authors' code
        (rbalestr-lab/lejepa at eddffdd, ``univariate/epps_pulley.py``): same grid, window and factor N, same value.
        The paper's Algorithm 1 has knots on [-5, 5] instead. Ours multiplies powers of one complex number where theirs
        takes a sine and a cosine per knot.
    Example:
        >>> import torch
        >>> from lewm_lite import seeded
        >>> healthy, collapsed = torch.randn(256, 1, generator=seeded(0)), torch.zeros(256, 1)
        >>> epps_pulley(healthy).item() < 4 < epps_pulley(collapsed).item()
        True
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    check_quadrature(knots, t_max)
    return distance(at_least_float32(projections).mT, bell, knots=knots, t_max=t_max)


def sigreg(embeddings: Tensor, directions: Tensor, *, knots: int = 17, t_max: float = 3.0) -> Tensor:
    r"""Sketched isotropic Gaussian regularisation: the Epps-Pulley statistic, averaged over directions.

    $$\mathrm{SIGReg}(Z) = \frac1K \sum_{k=1}^K T\left(\{r_k \cdot z_n\}_{n=1}^N\right)$$

    The sample axis is -2. Leading axes are separate batches whose scores are averaged, so a clip
    ``(batch, time, dim)`` must come as ``(time, batch, dim)`` to have one test per time step.

    Args:
        embeddings: ``(*leading, samples, dim)``, at least two samples. Half precision is computed in float32, also
            inside autocast; call ``backward()`` outside it, as torch advises, or the last product falls back to half.
        directions: ``(dim, num_directions)`` of unit columns, from :func:`random_directions`.
        knots, t_max: as in :func:`epps_pulley`.
    Returns:
        A scalar, >= 0, dimensionless. About 1.05 for a batch drawn from N(0, I), at any N; proportional to N when the
        law is wrong, so a weight that was tuned at one batch size does not carry to another.
    Raises:
        ShapeError: wrong rank, one sample, no direction, or directions of another dimension.
        TypeError: integers. ValueError: NaN, infinity, another device, a bad ``knots`` or ``t_max``.
    Source:
        Balestriero & LeCun 2025, arXiv:2511.08544, Definition 2 and Algorithm 1; Maes et al. 2026, arXiv:2603.19312,
        with the authors' code (lucas-maes/le-wm at 8edfeb3, ``module.py:10-36``): same value for the same directions.
        Theirs takes ``(time, batch, dim)``, draws the directions inside, and stays in bfloat16 under autocast.
    Example:
        >>> import torch
        >>> from lewm_lite import random_directions, seeded
        >>> generator = seeded(0)
        >>> directions = random_directions(8, 64, generator=generator)
        >>> healthy = torch.randn(256, 8, generator=generator)
        >>> bool(sigreg(healthy, directions) < sigreg(0.1 * healthy, directions))
        True
    """
    check_embeddings("embeddings", embeddings)
    check_directions(directions, embeddings)
    check_quadrature(knots, t_max)
    with torch.autocast(device_type=embeddings.device.type, enabled=False):
        embeddings = at_least_float32(embeddings)
        # Directions before samples: the long sample axis stays innermost, where every kernel is fastest.
        shadows = directions.to(embeddings.dtype).mT @ embeddings.mT
        return distance(shadows, bell, knots=knots, t_max=t_max).mean()


class SIGReg(nn.Module):
    """:func:`sigreg` with fresh directions at each call, as in training.

    Under ``torch.distributed`` the characteristic function is averaged over all processes before it is compared, with
    gradient, along the directions that the first process drew: so several processes score the whole batch as one would.

    Args:
        num_directions: directions drawn per call, K.
        knots, t_max: as in :func:`epps_pulley`.
    Source:
        Defaults of the authors' LeWM code: 1024 directions, 17 knots, ``[0, 3]`` (lucas-maes/le-wm at 8edfeb3,
        ``module.py`` and ``config/train/lewm.yaml``).
    Example:
        >>> import torch
        >>> from lewm_lite import seeded
        >>> score = SIGReg(num_directions=64)(torch.randn(128, 16, generator=seeded(0)), generator=seeded(1))
        >>> 0.5 < score.item() < 2
        True
    """

    def __init__(self, num_directions: int = 1024, knots: int = 17, t_max: float = 3.0) -> None:
        super().__init__()
        check_positive_integer("num_directions", num_directions)
        check_quadrature(knots, t_max)
        self.num_directions, self.knots, self.t_max = num_directions, knots, t_max

    def forward(self, embeddings: Tensor, *, generator: torch.Generator) -> Tensor:
        """``(*leading, samples, dim)`` -> scalar, along ``num_directions`` directions drawn now."""
        check_embeddings("embeddings", embeddings)
        directions = random_directions(embeddings.shape[-1], self.num_directions, generator=generator)
        directions = directions.to(embeddings.device)
        if _many_processes():
            dist.broadcast(directions, src=0)
        return sigreg(embeddings, directions, knots=self.knots, t_max=self.t_max)

    def extra_repr(self) -> str:
        return f"num_directions={self.num_directions}, knots={self.knots}, t_max={self.t_max}"


def check_quadrature(knots: int, t_max: float) -> None:
    """Refuse all but an odd number of knots from 3 on and a finite largest frequency above 0."""
    check_positive_integer("knots", knots, minimum=3)
    if knots % 2 == 0:
        raise ValueError(f"knots must be odd, as in the authors' code, got {knots}: try {knots + 1}")
    check_positive_number("t_max", t_max)
