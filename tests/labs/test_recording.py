"""A packed run keeps every step, setting and reading, and its tensors to a part in thirty-two thousand."""

import json
import struct
import subprocess

import numpy as np
import pytest
import torch
from safetensors.numpy import load

from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.lab import Frame, Phase
from lewm_lite.labs.recording import last_moment, pack
from lewm_lite.labs.scripts import STATIC


def about(recording):
    """The notes in a safetensors file's header."""
    (length,) = struct.unpack("<Q", recording[:8])
    return json.loads(json.loads(recording[8 : 8 + length])["__metadata__"]["about"])


def unpacked(recording, name="points"):
    return load(recording)[f"tensors.{name}"].astype(np.float64) * about(recording)["scales"][name]


def frames_of(*tensors):
    kicks = torch.ones(1, 2)
    return [
        Frame(step, {"rate": 0.5}, {"points": tensor, "kicks": kicks}, {"spread": 1.0})
        for step, tensor in enumerate(tensors)
    ]


@pytest.fixture
def run(drift):
    lab = drift("arrive")
    frames = lab.run(Phase(4), Phase(3, {"rate": 0.0}), every=2)
    return frames, pack(lab, frames)


def test_the_last_moment_is_the_last_frame_s(run):
    frames, recording = run
    step, readings = last_moment(recording)
    assert step == frames[-1].step == 7
    assert readings == pytest.approx(frames[-1].readings)


def test_the_last_readings_come_in_the_same_order_each_time():
    lab = CloudFlow(num_samples=64, num_directions=1)
    recording = pack(lab, lab.run(Phase(0)))
    orders = {tuple(last_moment(recording)[1]) for _ in range(20)}
    assert orders == {("effective_rank", "held_out", "sigreg", "std")}


def test_every_step_and_reading_is_kept(run):
    frames, recording = run
    arrays = load(recording)
    assert arrays["steps"].tolist() == [0, 2, 4, 6, 7]
    assert arrays["steps"].dtype == np.int32
    assert arrays["readings.spread"].dtype == np.float32
    assert arrays["readings.spread"].tolist() == pytest.approx([frame.readings["spread"] for frame in frames])


def test_every_frame_s_settings_and_the_scene_are_kept(run):
    frames, recording = run
    notes = about(recording)
    assert notes["scene"] == "arrive"
    assert notes["values"] == [frame.values for frame in frames]
    assert [values["rate"] for values in notes["values"]] == [0.25, 0.25, 0.0, 0.0, 0.0]


def test_tensors_come_back_to_half_a_part_in_32767_of_the_largest(run):
    frames, recording = run
    exact = np.stack([frame.tensors["points"].numpy() for frame in frames]).astype(np.float64)
    assert load(recording)["tensors.points"].dtype == np.int16
    error = np.abs(unpacked(recording) - exact).max()
    assert 0 < error <= 0.501 * np.abs(exact).max() / 32767


def test_an_input_with_fewer_rows_in_some_frame_is_kept_to_those_that_all_have(drift):
    lab = drift()
    frames = lab.run(Phase(2), Phase(1, {"num_kicks": 1}))
    assert [len(frame.tensors["kicks"]) for frame in frames] == [2, 2, 1, 1]
    kept = unpacked(pack(lab, frames), "kicks")
    assert kept.shape == (4, 1, 2)
    expected = np.stack([frame.tensors["kicks"][:1].numpy() for frame in frames])
    np.testing.assert_allclose(kept, expected, atol=np.abs(expected).max() / 32767)


@pytest.mark.parametrize("largest", [1e-30, 1e-3, 3.0, 1e30])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_value_of_either_sign_comes_back(drift, largest, sign):
    points = torch.tensor([[sign * largest, 0.0], [0.0, -sign * largest / 2]])
    recording = pack(drift(), frames_of(points, points / 7))
    assert np.abs(load(recording)["tensors.points"]).max() == 32767
    np.testing.assert_allclose(unpacked(recording)[0], points.numpy(), rtol=1e-4)


def test_a_run_that_is_all_zeros_comes_back_as_zeros(drift):
    recording = pack(drift(), frames_of(torch.zeros(3, 2)))
    assert not unpacked(recording).any()
    assert about(recording)["scales"]["points"] == 1.0


def test_a_run_packs_to_the_same_bytes_twice(drift, run):
    frames, recording = run
    assert pack(drift("arrive"), frames) == recording


def test_the_page_reads_a_recording_as_python_does(run, node, tmp_path):
    _, recording = run
    (tmp_path / "run.safetensors").write_bytes(recording)
    script = tmp_path / "read.mjs"
    script.write_text(
        'import { readFileSync } from "node:fs";\n'
        f'import {{ readSafetensors }} from "{(STATIC / "data.mjs").as_uri()}";\n'
        "const { tensors, about } = readSafetensors(Uint8Array.from(readFileSync(process.argv[2])).buffer);\n"
        "const plain = Object.entries(tensors).map(([name, { data, dims }]) => [name, { data: [...data], dims }]);\n"
        "process.stdout.write(JSON.stringify({ tensors: Object.fromEntries(plain), about }));\n",
        encoding="utf-8",
    )
    command = [node, str(script), str(tmp_path / "run.safetensors")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    read = json.loads(answer.stdout)
    assert read["about"] == about(recording)
    assert read["tensors"] == {
        name: {"data": array.flatten().tolist(), "dims": list(array.shape)} for name, array in load(recording).items()
    }
