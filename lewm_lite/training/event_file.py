"""Scalars for TensorBoard, in the files that it reads, with nothing to install for writing them.

A file is a row of records: length, checksum of the length, payload, checksum of the payload. A payload is an ``Event``
message in the wire format of protocol buffers, of which scalars need five fields.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_POLYNOMIAL = 0x82F63B78  # CRC-32C, bits reversed
_MASK = 0xA282EAD8


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


class EventFile:
    """Appends scalars to a new file in ``folder``; each call is on the disk when it returns.

    Args:
        folder: made if it isn't there. ``tensorboard --logdir`` takes it, or a folder above it.
        start: steps already taken; what an earlier file of the folder says of later ones is then forgotten by
            TensorBoard, since a resumed run takes them again.
    Source:
        Record framing and messages of TensorFlow (``record_writer.cc``, ``event.proto``, ``summary.proto``).
    """

    def __init__(self, folder: str | Path, *, start: int = 0) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"events.out.tfevents.{time.time_ns() / 1e9:.6f}.{socket.gethostname()}.{os.getpid()}"
        self.path = folder / stem
        self._append(_field(3, b"brain.Event:2"))
        if start:
            self._append(_varint_field(2, start + 1) + _field(7, _varint_field(1, 1)))  # a session log: START

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add one value per tag, at ``step``."""
        values = [
            _field(1, _field(1, tag.encode()) + _key(2, 5) + struct.pack("<f", value)) for tag, value in scalars.items()
        ]
        self._append(_varint_field(2, step) + _field(5, b"".join(values)))

    def _append(self, message: bytes) -> None:
        payload = _key(1, 1) + struct.pack("<d", time.time()) + message
        length = struct.pack("<Q", len(payload))
        record = length + _checksum(length) + payload + _checksum(payload)
        with self.path.open("ab") as file:
            file.write(record)


def _checksum(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint_field(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content
