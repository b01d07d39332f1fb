"""A stand-in for a tensor on an accelerator that has no float64, such as Apple's: what it can't do there is refused."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves


class OnAccelerator(Tensor):
    """Refuses float64, and to be mixed with tensors of the CPU, until ``.cpu()`` brings it there."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        given = tree_leaves((args, kwargs or {}))
        if function is Tensor.double or any(value is torch.float64 for value in given):
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        if function is Tensor.cpu:
            return args[0].as_subclass(Tensor)
        strangers = [value for value in given if type(value) is Tensor and value.ndim]
        if strangers and function is not Tensor.__getitem__:  # a place may be told from the CPU
            raise RuntimeError("Expected all tensors to be on the same device")
        return super().__torch_function__(function, types, args, kwargs or {})


def on_accelerator(value: Tensor) -> OnAccelerator:
    """The same numbers there."""
    return value.as_subclass(OnAccelerator)
