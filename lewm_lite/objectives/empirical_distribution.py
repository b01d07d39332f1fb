r"""Tests that compare the empirical distribution function with that of N(0, 1): Kolmogorov-Smirnov and its relatives.

Of N samples, the one of rank $r$ sits on a step of the empirical distribution function, from $(r-1)/N$ up to $r/N$.
Each statistic says how far those steps are from $\Phi$, the distribution function of N(0, 1), at the samples. Ranks
jump where two samples pass each other, so that the gradients have kinks there and exist everywhere else. Half precision
is computed in float32: in float16 or bfloat16 a rank is no whole number any more.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.checks import at_least_float32, check_embeddings

_TAIL = 2.5  # below minus this many standard deviations the logarithm of the distribution function is a fraction
_GLAISHER = 0.38198442397441  # 2 ln A - ln 2 / 6, A the constant of Glaisher and Kinkelin
_FRACTION_DEPTH = 20  # of the continued fraction there: its relative error stays below 1e-8


def kolmogorov_smirnov(projections: Tensor) -> Tensor:
    r"""The largest distance between the empirical distribution function and $\Phi$.

    $D = \max_n \max\left(\frac{r_n}{N} - \Phi(x_n),\; \Phi(x_n) - \frac{r_n-1}{N}\right)$, $r_n$ the rank of $x_n$.

    One sample alone sets the maximum, so its gradient is 0 for every other.

    Args:
        projections: ``(*leading, samples, num_directions)``; axis -2 is the sample.
    Returns:
        ``(*leading, num_directions)``, from 1 / (2 N) to 1.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Kolmogorov 1933; the two-sided statistic of ``scipy.stats.kstest(sample, "norm")``.
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    projections = at_least_float32(projections)
    count, height = projections.shape[-2], normal_cdf(projections)
    rank = ranks(projections)
    return torch.maximum(rank / count - height, height - (rank - 1) / count).amax(-2)


def cramer_von_mises(projections: Tensor) -> Tensor:
    r"""The squared distance between the two distribution functions, integrated over $\Phi$, times N.

    $W^2 = \frac{1}{12N} + \sum_n\left(\Phi(x_n) - \frac{2r_n-1}{2N}\right)^2$

    Arguments, shapes and errors as for :func:`kolmogorov_smirnov`.

    Source:
        Cramér 1928, von Mises 1928; the statistic of ``scipy.stats.cramervonmises(sample, "norm")``.
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    projections = at_least_float32(projections)
    count = projections.shape[-2]
    middle = (2 * ranks(projections) - 1) / (2 * count)
    return (normal_cdf(projections) - middle).square().sum(-2) + 1 / (12 * count)


def anderson_darling(projections: Tensor) -> Tensor:
    r"""The distance of Cramér and von Mises with its tails given weight, $1 / (\Phi(1-\Phi))$.

    $A^2 = -N - \frac1N\sum_n\left[(2r_n-1)\ln\Phi(x_n) + (2N-2r_n+1)\ln(1-\Phi(x_n))\right]$

    Far out $\ln\Phi$ falls as $-x^2/2$, so that the gradient of a sample grows with its distance. It is added up as
    $2\sum_n \mathrm{KL}(u_n\,\|\,\Phi(x_n))$, $u_n = \frac{2r_n-1}{2N}$, and a number that depends on N alone: the
    sum as it stands loses the digits of N in single precision.

    Arguments, shapes and errors as for :func:`kolmogorov_smirnov`.

    Source:
        Anderson & Darling 1952. ``scipy.stats.anderson(sample)`` is this statistic of the sample standardised first.
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    projections = at_least_float32(projections)
    count = projections.shape[-2]
    share = (2 * ranks(projections) - 1) / (2 * count)
    below = share * (share.log() - log_normal_cdf(projections))
    above = (1 - share) * ((1 - share).log() - log_normal_cdf(-projections))
    return 2 * (below + above).sum(-2) + _of_the_steps(projections.new_full((), count))


def _of_the_steps(count: Tensor) -> Tensor:
    r"""$-N - 2\sum_n [u_n \ln u_n + (1-u_n)\ln(1-u_n)]$, by Euler and Maclaurin's series: to 2e-7 from N = 3 on."""
    return (count.log() / 6 + _GLAISHER) / count + 7 / 1440 / count**3 - 31 / 40320 / count**5


def ranks(projections: Tensor) -> Tensor:
    """The place of each sample in order of size, 1 to N, along axis -2; equal samples share out their places."""
    order = projections.detach().argsort(-2)
    return order.argsort(-2).to(projections.dtype) + 1


def normal_cdf(values: Tensor) -> Tensor:
    r"""$\Phi$, the distribution function of N(0, 1), elementwise."""
    return (1 + torch.erf(values * math.sqrt(0.5))) / 2


def log_normal_cdf(values: Tensor) -> Tensor:
    r"""$\ln\Phi$, elementwise, without loss in the left tail.

    There it is $\ln\varphi(x) + \ln R(-x)$, $\varphi$ the density and R Mills' ratio as Laplace's continued fraction,
    which an exported graph can hold where ``torch.special.log_ndtr`` is none of its operations.
    """
    far = (-values).clamp_min(_TAIL)
    denominator = far
    for level in range(_FRACTION_DEPTH, 0, -1):
        denominator = far + level / denominator
    tail = -far.square() / 2 - math.log(2 * math.pi) / 2 - denominator.log()
    return torch.where(values < -_TAIL, tail, normal_cdf(values.clamp_min(-_TAIL)).log())
