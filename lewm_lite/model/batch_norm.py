"""Batch normalisation whose batch is everything but the last axis, on all processes together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lewm_lite.checks import ShapeError, at_least_float32


class BatchNorm(nn.BatchNorm1d):
    """Each feature less its mean, divided by its std, over all samples of the batch; then a learned scale and shift.

    In training mode the statistics are the batch's own, and running averages of them are kept; in evaluation mode the
    running averages are used, so that a sample's output does not depend on the others beside it.

    It is torch's ``BatchNorm1d``, weights and running averages by the same names, with three differences: it takes
    ``(..., features)``; under ``torch.distributed`` the batch is that of all processes, with gradient, on every kind of
    device (torch's ``SyncBatchNorm`` wants a GPU), as it is for SIGReg; and the averages can be left alone, see
    :func:`frozen_averages`, and made again, see :func:`fresh_averages`.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """``(..., features)`` -> the same shape; half precision is computed in float32.

        What comes out is of the weights' precision, or of the inputs' where that is higher.

        Raises:
            ShapeError: one sample in training mode, which has no spread to divide by.
        """
        values = at_least_float32(inputs)
        if not self.training:
            return self._scaled(values, self.running_mean, self.running_var)
        mean, variance, count = _statistics(values)
        if self.momentum != 0:
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
                for kept, new in ((self.running_mean, mean), (self.running_var, variance * (count / (count - 1)))):
                    kept.lerp_(new.detach().to(kept.dtype), share)
        return self._scaled(values, mean, variance)

    def _scaled(self, values: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        if self.weight.dtype in (torch.float32, torch.float64):
            return (values - mean) * (self.weight * torch.rsqrt(variance + self.eps)) + self.bias
        # Variances below what half precision can tell from 0 still differ in float32, and so does what comes of them.
        mean, variance, weight, bias = (part.to(values.dtype) for part in (mean, variance, self.weight, self.bias))
        scaled = (values - mean) * (weight * torch.rsqrt(variance + self.eps)) + bias
        return scaled.to(self.weight.dtype)


@contextmanager
def frozen_averages(model: nn.Module) -> Iterator[None]:
    """Inside, no :class:`BatchNorm` of the model moves its running averages: a gradient without a side effect."""
    with _momentum(model, 0.0):
        yield


@contextmanager
def fresh_averages(model: nn.Module) -> Iterator[None]:
    """Inside, running averages begin anew, and are the plain mean over all batches that pass in training mode.

    For after training, and before any evaluation on the way. Nothing asks an encoder for a wide spread before a
    BatchNorm, which makes every spread 1; where it stays small, one training step can move the mean by as much, and
    averages over the last steps are then those of models that were, many stds away from those of the model that is.
    A dozen batches or more without a gradient, inside this, make evaluation mode agree with training mode. Where no
    batch passes, or an error ends it, the averages are put back as they were.
    """
    layers = _batch_norms(model)
    before = [{name: buffer.clone() for name, buffer in layer.named_buffers()} for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
    whole = False
    try:
        with _momentum(model, None):
            yield
        whole = True
    finally:
        for layer, buffers in zip(layers, before, strict=True):
            if not whole or layer.num_batches_tracked == 0:
                for name, value in buffers.items():
                    getattr(layer, name).copy_(value)


def _batch_norms(model: nn.Module) -> list[BatchNorm]:
    return [layer for layer in model.modules() if isinstance(layer, BatchNorm)]


@contextmanager
def _momentum(model: nn.Module, momentum: float | None) -> Iterator[None]:
    layers = _batch_norms(model)
    before = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = momentum
    try:
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.momentum = own


def _statistics(values: Tensor) -> tuple[Tensor, Tensor, Tensor | int]:
    """Mean and variance of each feature over all samples, and of how many: all processes' together."""
    rows = values.flatten(0, -2)
    several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    if not several:
        if rows.shape[0] < 2:
            raise ShapeError(
                f"a batch needs at least 2 samples in training mode, got shape {tuple(values.shape)}: "
                "one has no spread; call model.eval() for single ones"
            )
        mean = rows.mean(0)
        return mean, (rows - mean).square().mean(0), rows.shape[0]  # not var_mean, whose gradient does not export
    from torch.distributed.nn.functional import all_reduce  # the differentiable one

    count = torch.tensor(float(rows.shape[0]), dtype=values.dtype, device=values.device)
    dist.all_reduce(count)
    mean = all_reduce(rows.sum(0) / count)
    return mean, all_reduce((rows - mean).square().sum(0) / count), count
