"""What is wrong with an answer before its content is looked at: nothing there, another shape, or no finite numbers."""

from __future__ import annotations

from torch import Tensor


def not_a_cloud(cloud: Tensor | None, shape: tuple[int, ...]) -> str:
    """A sentence for a reader whose answer should be a tensor of this shape; empty if it is one."""
    if cloud is None:
        return f"Not yet: put a tensor of shape {shape} in the place of None."
    if tuple(cloud.shape) != shape:
        return f"The cloud must be {shape}, got {tuple(cloud.shape)}."
    return "" if bool(cloud.isfinite().all()) else "The cloud must be finite numbers."
