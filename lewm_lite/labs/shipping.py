"""What a lab ships with: its graphs, banks, recordings and stills, written to ``assets/labs/<name>/`` in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save

from lewm_lite.files import birth_certificate, json_bytes, write_atomically
from lewm_lite.labs.controls import Choice, as_data, settings
from lewm_lite.labs.export import export_graph
from lewm_lite.labs.feeds import Graph, State, feed
from lewm_lite.labs.lab import Lab
from lewm_lite.labs.recording import last_moment, pack


def ship(lab: type[Lab], folder: Path, *, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Export everything that ``lab`` needs in the page to ``folder/<name>``, and a manifest with its birth certificate.

    Args:
        lab: the lab class.
        folder: where labs' assets live, ``assets/labs`` in a checkout.
        progress: told in words what is being made.
    Returns:
        The lab's own folder. Nothing is written before everything is made.
    """
    files: dict[str, bytes] = {}
    progress("banks of noise and directions")
    banks = lab.banks()
    files["bank.safetensors"] = save({name: bank.contiguous() for name, bank in banks.items()})
    for name, graph in lab().graphs().items():
        for suffix, values in _variants(lab, graph):
            progress(f"graph {name}{suffix}")
            files[f"{name}{suffix}.onnx"] = _exported(lab, graph, values, banks)
    scenes = {}
    for scene in lab.scenes:
        progress(f"recording {scene.name}")
        instance = lab(scene.name)
        frames = instance.run(every=lab.frame_every)
        files[f"{scene.name}.safetensors"] = recording = pack(instance, frames)
        if lab.resumes:
            state = {name: tensor.contiguous() for name, tensor in frames[-1].state.items()}
            files[f"{scene.name}.state.safetensors"] = save(state)
        still = lab.draw_still(frames, scene)
        files[f"{scene.name}.svg"], files[f"{scene.name}.png"] = still.svg().encode(), still.png()
        step, readings = last_moment(recording)
        scenes[scene.name] = {
            "caption": scene.caption,
            "values": instance.values,
            "last": {"step": step, "readings": readings, "words": lab.say(step, readings)},
        }
    manifest = {**describe(lab), "scenes": scenes}
    manifest["made"] = birth_certificate(command=f"python -m lewm_lite export {lab.name}", seed=0, files=files)
    target = folder / lab.name
    for name, content in files.items():
        write_atomically(target / name, content)
    write_atomically(target / "manifest.json", json_bytes(manifest))
    return target


def describe(lab: type[Lab]) -> dict:
    """The lab as the page needs it: controls, readings, and where each graph's inputs come from."""
    return {
        "lab": lab.name,
        "title": lab.title,
        "controls": [as_data(control) for control in lab.controls],
        "readings": [as_data(reading) for reading in lab.readings],
        "recorded": list(lab.recorded),
        "resumes": lab.resumes,
        "graphs": {
            name: {
                "inputs": {key: asdict(source) for key, source in graph.inputs.items()},
                "outputs": list(graph.outputs),
                "variants": graph.variants,
            }
            for name, graph in lab().graphs().items()
        },
    }


def _variants(lab: type[Lab], graph: Graph) -> Iterator[tuple[str, dict]]:
    """Each file suffix of a graph, with the settings that belong to it."""
    if graph.variants is None:
        yield "", settings(lab.controls, {})
        return
    menu = next(control for control in lab.controls if control.name == graph.variants)
    if not isinstance(menu, Choice):
        raise ValueError(f"variants must name a menu, {graph.variants!r} is a {menu.kind}")
    for value, _ in menu.options:
        yield f"_{value}", settings(lab.controls, {menu.name: value})


def _exported(lab: type[Lab], graph: Graph, values: dict, banks: dict) -> bytes:
    """The graph, traced with example inputs whose free sizes are distinct primes, so that none is taken for another."""
    example = feed(graph, lab.controls, values, banks, _example_state(lab, graph, values, banks), 0)
    primes = iter((97, 11, 53, 29, 71, 17))
    chosen: dict[str, int] = {}
    for name, axes in graph.dynamic.items():
        for axis, size in axes.items():
            if size not in chosen:
                chosen[size] = next(primes)
            example[name] = example[name].narrow(axis, 0, chosen[size]).clone()
    return export_graph(graph.function, example, dynamic=graph.dynamic, outputs=graph.outputs)


def _example_state(lab: type[Lab], graph: Graph, values: dict, banks: dict) -> dict:
    if not any(isinstance(source, State) for source in graph.inputs.values()):
        return {}
    start = lab().graphs()["start"]
    with torch.no_grad():
        return dict(start.function(**feed(start, lab.controls, values, banks, {}, 0)))
