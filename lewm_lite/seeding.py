"""The only place where a random generator is born: an integer in, a generator out."""

from __future__ import annotations

import torch


def seeded(seed: int, *, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator that starts at ``seed``; the same seed gives the same numbers on the same device.

    Args:
        seed: any integer from 0 to 2**63 - 1.
        device: where the generator draws. A CPU generator serves every device: what it draws is moved.
    Raises:
        ValueError: ``seed`` is not such an integer.
    Example:
        >>> a, b = seeded(7), seeded(7)
        >>> bool((torch.randn(3, generator=a) == torch.randn(3, generator=b)).all())
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be an integer from 0 to 2**63 - 1, got {seed!r}")
    return torch.Generator(device=device).manual_seed(seed)
