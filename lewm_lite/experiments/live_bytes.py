"""How much memory tensors take while something runs, counted tensor by tensor: the same on every machine and quiet."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def total_bytes(tensors: Iterable[Tensor | None]) -> int:
    """The bytes of the numbers in all of them; None counts nothing."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor is not None)


class LiveBytes(TorchDispatchMode):
    """Follows every tensor storage that is made inside, and keeps the most bytes that were alive at one moment.

    What a kernel takes for itself while it works, and what an allocator keeps in reserve, is not seen.

    Args:
        before: tensors that are there already and stay.
    Example:
        >>> import torch
        >>> before = torch.zeros(10)
        >>> with LiveBytes([before]) as live:
        ...     kept = torch.zeros(100) + 1  # two of 400 bytes each for a moment, then one
        >>> live.peak, live.now
        (840, 440)
    """

    def __init__(self, before: Iterable[Tensor]) -> None:
        super().__init__()
        self._known: set[int] = set()
        self.now = self.peak = 0
        for tensor in before:
            self._watch(tensor)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run the operation, and watch what it gives."""
        made = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor):
                self._watch(leaf)
        return made

    def _watch(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        self._known.add(key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, storage.nbytes()).atexit = False

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


class SavedBytes(saved_tensors_hooks):
    """The bytes that the forward pass keeps for the backward pass, each storage once.

    Args:
        known: what is there anyway and is not counted: parameters, the batch.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        self._seen = {tensor.untyped_storage().data_ptr() for tensor in known}
        self._kept: list[Tensor] = []  # alive until the end, so that no address is used twice
        self.total = 0
        super().__init__(self._pack, lambda tensor: tensor)

    def __enter__(self) -> SavedBytes:
        super().__enter__()
        return self

    def _pack(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self._kept.append(tensor.detach())
            self.total += storage.nbytes()
        return tensor


def module_tensors(*modules: nn.Module) -> list[Tensor]:
    """Parameters and buffers of all of them."""
    return [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
