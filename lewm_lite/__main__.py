"""The command line: ``python -m lewm_lite export`` makes what the labs ship with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m lewm_lite", description=__doc__.split(":")[0] + ".")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    export = commands.add_parser("export", help="export a lab's graphs, banks and recordings for the page")
    export.add_argument("lab", nargs="*", help="labs by name; all of them if none is named")
    export.add_argument("--out", type=Path, default=None, help="folder to write to (default: assets/labs)")
    chosen = parser.parse_args(arguments)
    try:
        return _export(chosen.lab, chosen.out)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _export(names: list[str], out: Path | None) -> int:
    import torch

    from lewm_lite.files import asset_root
    from lewm_lite.labs.registry import LABS, lab_named
    from lewm_lite.labs.shipping import ship

    torch.set_num_threads(1)  # clouds are small: more threads only wait for each other
    for lab in [lab_named(name) for name in names] or list(LABS.values()):
        print(f"{lab.name}:", flush=True)
        target = ship(lab, out or asset_root() / "labs", progress=lambda words: print(f"  {words}", flush=True))
        print(f"  written to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
