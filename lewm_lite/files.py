"""Where assets are, and how a file is written: whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_UNFINISHED = ".part"  # how the name of a file ends that is being written
_LEFT_OVER_S = 3600  # untouched for so long, nobody writes to it any more


def asset_root() -> Path:
    """The folder of assets: inside the package in an installed wheel, beside it in a checkout."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def asset_path(name: str) -> Path:
    """The path of an asset, the same call in a checkout and in an installed wheel.

    Args:
        name: path relative to ``assets/``, with forward slashes, e.g. ``"labs/cloud_flow/manifest.json"``.
    Raises:
        FileNotFoundError: no such asset; the message lists what stands beside it.
        ValueError: ``name`` leads out of the folder.
    """
    root = asset_root().resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"name must stay inside assets/, got {name!r}")
    if not path.exists():
        near = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
        raise FileNotFoundError(f"no asset {name!r}; beside it are: {', '.join(near) or 'nothing'}")
    return path


@contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """The name of an empty new file beside ``path`` to write to; what was written takes its place when the block ends.

    If the block fails, the new file goes and ``path`` stays as it was: there is never half a file. What a process that
    was killed in the block left behind goes too, when ``path`` is written again an hour later or more.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_overs(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove_left_overs(path: Path) -> None:
    """A young one may be another process's, still being written; what can't be removed is left."""
    name = re.compile(re.escape(f".{path.name}.") + r"\w+" + re.escape(_UNFINISHED))
    for found in path.parent.iterdir():
        if name.fullmatch(found.name):
            with suppress(OSError):
                if time.time() - found.stat().st_mtime > _LEFT_OVER_S:
                    found.unlink()


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to a new file beside ``path`` and put it in place in one step: never half a file."""
    with in_one_step(path) as temporary:
        temporary.write_bytes(content)


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of ``content``."""
    return hashlib.sha256(content).hexdigest()


def birth_certificate(*, command: str, seed: int, files: Mapping[str, bytes]) -> dict:
    """What a manifest says of how its files came to be: command, seed, versions, and a hash of each file."""
    versions = {"python": platform.python_version()}
    for package in ("torch", "numpy", "onnx", "onnxscript", "onnxruntime"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "command": command,
        "seed": seed,
        "versions": versions,
        "sha256": {name: sha256(content) for name, content in sorted(files.items())},
    }


def json_bytes(value: object) -> bytes:
    """``value`` as indented JSON that ends in a newline, the same bytes each time."""
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n").encode()
