"""Recorded runs: what the page shows before it is touched, and all that a reader without scripts will see."""

from __future__ import annotations

import json

import numpy as np
from safetensors.numpy import load, save

from lewm_lite.labs.lab import Frame, Lab


def pack(lab: Lab, frames: list[Frame]) -> bytes:
    """A run as a safetensors file: the steps kept, the settings at each, the drawn tensors as int16, the readings.

    Tensors are rounded to 1/32767 of their largest absolute value in the run; the page continues from them.
    """
    arrays = {"steps": np.array([frame.step for frame in frames], np.int32)}
    scales: dict[str, float] = {}
    for name in lab.recorded:
        rows = min(len(frame.tensors[name]) for frame in frames)
        stacked = np.stack([frame.tensors[name][:rows].numpy() for frame in frames])
        scales[name] = float(np.abs(stacked).max() / 32767) or 1.0
        arrays[f"tensors.{name}"] = np.round(stacked / scales[name]).astype(np.int16)
    for reading in lab.readings:
        kept = [frame.readings[reading.name] for frame in frames]
        arrays[f"readings.{reading.name}"] = np.array(kept, np.float32)
    about = {"scene": lab.scene.name, "scales": scales, "values": [dict(frame.values) for frame in frames]}
    return save(arrays, {"about": json.dumps(about)})


def last_moment(recording: bytes) -> tuple[int, dict[str, float]]:
    """The last step of a packed run and its readings."""
    prefix = "readings."
    arrays = dict(sorted(load(recording).items()))  # safetensors gives them in another order each time
    readings = {key.removeprefix(prefix): float(array[-1]) for key, array in arrays.items() if key.startswith(prefix)}
    return int(arrays["steps"][-1]), readings
