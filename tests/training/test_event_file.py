"""The curves are what TensorBoard's own reader would find: framing, checksums and fields, read back by hand."""

from __future__ import annotations

import struct

import pytest

from lewm_lite.training.event_file import EventFile, _checksum


def records(path):
    content, found = path.read_bytes(), []
    while content:
        length = struct.unpack("<Q", content[:8])[0]
        assert content[8:12] == _checksum(content[:8])
        payload, content = content[12 : 12 + length], content[12 + length :]
        assert content[:4] == _checksum(payload)
        content = content[4:]
        found.append(fields(payload))
    return found


def varint(content):
    value = shift = 0
    while True:
        byte, content = content[0], content[1:]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, content


def fields(content):
    """(number, value) pairs of a message in the wire format of protocol buffers."""
    found = []
    while content:
        key, content = varint(content)
        if key & 7 == 0:
            value, content = varint(content)
        else:
            size, content = (8, content) if key & 7 == 1 else (4, content) if key & 7 == 5 else varint(content)
            value, content = content[:size], content[size:]
        found.append((key >> 3, value))
    return found


def scalars(event):
    told = dict(event)
    step = told.get(2, 0)
    found = {}
    for _, entry in fields(told.get(5, b"")):
        value = dict(fields(entry))
        found[value[1].decode()] = struct.unpack("<f", value[2])[0]
    return step, found


def test_the_checksum_is_crc32c_masked():
    crc = 0xE3069283  # of b"123456789", from the definition of CRC-32C
    assert _checksum(b"123456789") == struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def test_scalars_are_read_back_with_their_steps(tmp_path):
    events = EventFile(tmp_path / "run")
    events.write(10, {"train/total": 1.5, "train/sigreg": -2.0})
    events.write(100_000, {"train/total": 0.25})
    first, *rest = records(events.path)
    assert dict(first)[3] == b"brain.Event:2"
    assert [scalars(event) for event in rest] == [
        (10, {"train/total": 1.5, "train/sigreg": -2.0}),
        (100_000, {"train/total": 0.25}),
    ]
    assert all(struct.unpack("<d", dict(event)[1])[0] > 1.6e9 for event in rest)
    assert "tfevents" in events.path.name


@pytest.mark.parametrize("start", [1, 300])
def test_a_resumed_run_says_from_which_step_on_it_begins_again(tmp_path, start):
    _, session = records(EventFile(tmp_path, start=start).path)
    told = dict(session)
    assert told[2] == start + 1 and fields(told[7]) == [(1, 1)]
