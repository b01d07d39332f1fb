r"""A judge that looks at moments alone: the averages of all products of Hermite polynomials up to an order.

Under N(0, I) the polynomials $h_a(x) = \prod_i \mathrm{He}_{a_i}(x_i) / \sqrt{a_i!}$ have mean 0 and variance 1 and are
uncorrelated. Their averages over a cloud vanish up to order 2 when mean and covariance are those of N(0, I), and up to
order 4 when skewness and kurtosis are, too.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lewm_lite.checks import check_embeddings, check_positive_integer


def moment_score(embeddings: Tensor, *, order: int) -> Tensor:
    r"""N times the mean square of a cloud's averaged Hermite polynomials of total order 1 to ``order``.

    $$\frac{N}{A}\sum_{1\le|a|\le m}\Bigl(\frac1N\sum_n h_a(z_n)\Bigr)^2$$

    Args:
        embeddings: ``(samples, dim)``, at least two samples.
        order: m; 2 looks at mean and covariance, 4 at skewness and kurtosis as well, of all coordinates together.
    Returns:
        A scalar, >= 0; 1 on average for a sample of N(0, I) at any N.
    Raises:
        ValueError: an order below 1. ShapeError: as for SIGReg.
    Example:
        >>> import torch
        >>> moment_score(torch.tensor([[-1.0], [1.0]]), order=2).item()
        0.0
    """
    check_embeddings("embeddings", embeddings)
    check_positive_integer("order", order)
    num_samples = embeddings.shape[0]
    products, counted = torch.ones_like(embeddings[:, :1]), torch.zeros(1)
    for axis in embeddings.split(1, dim=1):  # (samples, ways to spread powers over the axes so far)
        products = (products[:, :, None] * _hermite(axis, order)[:, None]).flatten(1)
        counted = (counted[:, None] + torch.arange(order + 1)).flatten()
    asked = ((counted >= 1) & (counted <= order)).to(embeddings)
    return num_samples * (asked * products.mean(0).square()).sum() / asked.sum()


def _hermite(values: Tensor, order: int) -> Tensor:
    """Normalised Hermite polynomials of degree 0 to ``order``: ``(samples, 1)`` -> ``(samples, order + 1)``."""
    found = [torch.ones_like(values), values]
    for degree in range(1, order):  # He_{n+1} = x He_n - n He_{n-1}
        found.append(values * found[-1] - degree * found[-2])
    return torch.cat([each / math.sqrt(math.factorial(degree)) for degree, each in enumerate(found)], dim=1)
