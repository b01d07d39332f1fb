"""The lab as a widget: the page's own view, with this kernel's torch as its engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anywidget
import numpy as np
import torch
import traitlets
from torch import Tensor

from lewm_lite.files import asset_path
from lewm_lite.labs.scripts import STATIC, module_source

if TYPE_CHECKING:
    from lewm_lite.labs.lab import Lab


class LabWidget(anywidget.AnyWidget):
    """Answers the view's requests to run ``start`` or ``step``; holds no state of its own."""

    _css = (STATIC / "labs.css").read_text(encoding="utf-8")  # anywidget takes a style from the class only
    manifest = traitlets.Dict().tag(sync=True)
    scene = traitlets.Unicode().tag(sync=True)
    values_json = traitlets.Unicode().tag(sync=True)
    bank = traitlets.Bytes().tag(sync=True)
    recording = traitlets.Bytes().tag(sync=True)

    def __init__(self, lab: Lab) -> None:
        folder = f"labs/{lab.name}"
        super().__init__(
            manifest=json.loads(asset_path(f"{folder}/manifest.json").read_text(encoding="utf-8")),
            scene=lab.scene.name,
            values_json=json.dumps(lab.values),
            bank=asset_path(f"{folder}/bank.safetensors").read_bytes(),
            recording=asset_path(f"{folder}/{lab.scene.name}.safetensors").read_bytes(),
            _esm=module_source(lab.name),
        )
        self._graphs = lab.graphs()
        self.on_msg(self._answer)

    def _answer(self, _widget: object, message: dict, buffers: list) -> None:
        if message.get("type") == "ping":
            self.send({"type": "pong", "id": message["id"]})
        elif message.get("type") == "run":
            content, answer = run_request(self._graphs, message, buffers)
            self.send(content, buffers=answer)


@contextmanager
def one_thread() -> Iterator[None]:
    """A lab's tensors are small: torch's threads would only wait for each other, and for the page's own."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_request(graphs: dict, message: dict, buffers: list) -> tuple[dict, list[bytes]]:
    """Run the graph that a message names on the tensors that came with it.

    Args:
        graphs: the lab's graphs. message: ``graph``, ``id`` and ``inputs``, a list of name and shape in the order of
            ``buffers``. buffers: little-endian float32.
    Returns:
        The answer, and its buffers. An error in the reader's own code comes back as its words, not as silence.
    """
    graph = graphs[message["graph"]]
    inputs = {
        item["name"]: torch.from_numpy(np.frombuffer(bytes(buffer), "<f4").reshape(item["dims"]).copy())
        for item, buffer in zip(message["inputs"], buffers, strict=True)
    }
    try:
        with one_thread():
            out = graph.function(**inputs)
        arrays = [_as_array(name, out[name]) for name in graph.outputs]
    except Exception as error:  # the reader's function may fail in any way; the lab must say so and go on
        return {"type": "error", "id": message["id"], "reason": f"{type(error).__name__}: {error}"}, []
    shapes = [{"name": name, "dims": list(a.shape)} for name, a in zip(graph.outputs, arrays, strict=True)]
    return {"type": "result", "id": message["id"], "outputs": shapes}, [array.tobytes() for array in arrays]


def _as_array(name: str, value: Tensor) -> np.ndarray:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(value).__name__}")
    return value.detach().float().cpu().contiguous().numpy().astype("<f4")


def widget_view(lab: Lab) -> dict[str, object]:
    """The widget's part of the MIME bundle."""
    bundle = LabWidget(lab)._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    return {kind: content for kind, content in (bundle or {}).items() if kind != "text/plain"}
