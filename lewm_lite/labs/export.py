"""A torch function, gradient and all, turned into an ONNX graph that the page can run.

The function is traced first (``make_fx``), which turns its gradient into plain operations, then exported with named
dynamic axes. The exporter's own optimiser is left out: it drops small added constants such as ``+ 1e-8``. That of ONNX
Runtime keeps them, and is run here, once: constants are folded, and standard operators remain. Done at each load, by
each page, it would take most of the time that a lab needs to start.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LARGEST_CONSTANT = 1 << 20  # numbers in it; larger ones are not compared with each other


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
    """The graph as ONNX Runtime rewrites it when it loads one, but for what suits one kind of processor only.

    What one pass folds lets the next fold more; so it goes on as long as the graph loses nodes, and stops before a pass
    that would pay for it with a file larger by more than a quarter. A graph that was prepared comes back as it is.
    """
    import onnx_ir
    from onnx_ir.passes import common

    nodes = onnx_ir.from_proto(_read(graph)).graph.num_nodes()
    while True:
        model = onnx_ir.from_proto(_rewritten(graph))
        # Many of the constants that come of folding are equal.
        common.DeduplicateInitializersPass(size_limit=LARGEST_CONSTANT)(model)
        common.RemoveUnusedOpsetsPass()(model)
        smaller = onnx_ir.to_proto(model).SerializeToString()
        if model.graph.num_nodes() >= nodes or len(smaller) > 1.25 * len(graph):
            return graph
        graph, nodes = smaller, model.graph.num_nodes()


def _read(graph: bytes) -> Any:
    import onnx

    return onnx.load_from_string(graph)


def _rewritten(graph: bytes) -> Any:
    """What one load by ONNX Runtime makes of a graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of every constant that it leaves as it is
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "rewritten.onnx")
        onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return _read(Path(options.optimized_model_filepath).read_bytes())


def _refuse_shared_tensors(example: Mapping[str, Tensor]) -> None:
    seen: dict[int, str] = {}
    for name, tensor in example.items():
        other = seen.setdefault(id(tensor), name)
        if other != name:
            raise ValueError(f"example inputs {other} and {name} are one tensor and would be merged: clone one")
