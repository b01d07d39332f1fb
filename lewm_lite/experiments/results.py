"""A result on disk: the values that sentences quote, the config they came from, and how to make them again."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lewm_lite.files import asset_root, birth_certificate, json_bytes, write_atomically


def report(words: str) -> None:
    """Say how far a long run is, where results do not go."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def keep_result(name: str, *, config: Any, values: Mapping[str, float], details: object, seed: int) -> Path:
    """Write ``assets/results/<name>.json`` and return its path.

    Args:
        name: the experiment's module, e.g. ``"sigreg_cost"``.
        config: the frozen dataclass that it ran with.
        values: value name -> number, as sentences quote them.
        details: whatever else a figure needs, as JSON.
        seed: the seed it ran with.
    """
    path = asset_root() / "results" / f"{name}.json"
    command = f"python -m lewm_lite.experiments.{name}"
    made = birth_certificate(command=command, seed=seed, files={})
    result = {"values": dict(values), "config": asdict(config), "details": details, "made": made}
    write_atomically(path, json_bytes(result))
    return path


def kept_details(name: str, *, config: Any) -> dict | None:
    """The details of a kept result, if it was made with this very config; a run can then make again a part of it."""
    path = asset_root() / "results" / f"{name}.json"
    if not path.exists():
        return None
    result = json.loads(path.read_text(encoding="utf-8"))
    return result["details"] if result["config"] == json.loads(json.dumps(asdict(config))) else None
