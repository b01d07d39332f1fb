"""A torch function, gradient and all, turned into an ONNX graph that the page can run.

The function is traced first (``make_fx``), which turns its gradient into plain operations, then exported with named
dynamic axes. The exporter's own optimiser is left out: it drops small added constants such as ``+ 1e-8``. ONNX Runtime's
does not, and is run here, once, with what it makes of any graph (constants folded, what is computed twice computed
once; standard operators only), so that no page has to do it at every load: that is half of what loading takes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def export_graph(
    function: Callable[..., Mapping[str, Tensor]],
    example: Mapping[str, Tensor],
    *,
    dynamic: Mapping[str, Mapping[int, str]],
    outputs: Sequence[str],
) -> bytes:
    """Export ``function(**example)`` to ONNX.

    Args:
        function: takes the tensors of ``example`` by name, returns a dictionary of tensors.
        example: one tensor per input. No two may be the same object: equal inputs would be merged without a word.
        dynamic: for an input, its axes of free size, each with a name; axes of one name have one size.
        outputs: the names of the outputs, in the order of the graph.
    Returns:
        The serialised graph. Inputs have the names given; outputs come in the order given, and one that is named like
        an input is called ``next_<name>`` in the graph, where names must be unique.
    Raises:
        ValueError: an example tensor given twice, or an output that the function does not return.
        ImportError: onnx, onnxscript or onnxruntime is not installed (``pip install lewm-lite[export]``).
    """
    _refuse_shared_tensors(example)
    names, tensors = list(example), tuple(example.values())

    def positional(*inputs: Tensor) -> tuple[Tensor, ...]:
        result = function(**dict(zip(names, inputs, strict=True)))
        missing = [name for name in outputs if name not in result]
        if missing:
            raise ValueError(f"outputs names {missing}, but the function returned {sorted(result)}")
        return tuple(result[name] for name in outputs)

    from torch.fx.experimental.proxy_tensor import make_fx

    traced = make_fx(positional, tracing_mode="symbolic", _allow_non_fake_inputs=True)(*tensors)
    sizes: dict[str, torch.export.Dim] = {}
    shapes = tuple(
        {axis: sizes.setdefault(size, torch.export.Dim(size, min=2)) for axis, size in dynamic.get(name, {}).items()}
        for name in names
    )
    program = torch.export.export(traced, tensors, dynamic_shapes=shapes)
    unique = [f"next_{name}" if name in example else name for name in outputs]
    graph = torch.onnx.export(
        program, dynamo=True, input_names=names, output_names=unique, optimize=False, verbose=False
    )
    return prepared(_small(graph.model))


def _small(model: Any) -> bytes:
    """The graph without repeated work, unused nodes, and the trace's notes, which make nine tenths of its size."""
    import onnx_ir
    from onnx_ir.passes import common

    for tidy in (
        common.CommonSubexpressionEliminationPass(),
        common.RemoveUnusedNodesPass(),
        common.RemoveUnusedFunctionsPass(),
        common.ClearMetadataAndDocStringPass(),
    ):
        model = tidy(model).model
    return onnx_ir.to_proto(model).SerializeToString()


def prepared(graph: bytes) -> bytes:
    """The graph as ONNX Runtime rewrites it when it loads one, but for what suits one kind of processor only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "prepared.onnx")
        onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return Path(options.optimized_model_filepath).read_bytes()


def _refuse_shared_tensors(example: Mapping[str, Tensor]) -> None:
    seen: dict[int, str] = {}
    for name, tensor in example.items():
        other = seen.setdefault(id(tensor), name)
        if other != name:
            raise ValueError(f"example inputs {other} and {name} are one tensor and would be merged: clone one")
