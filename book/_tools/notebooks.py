"""Run chapters and store their outputs: every notebook in ``book/``, or those named.

What depends on the machine or the moment is not kept: widget models, execution times, warnings of the kernel's own.
A notebook is written only when it ran to its end, in one step; a failing one is left as it was.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from lewm_lite.files import write_atomically

BOOK = Path(__file__).resolve().parent.parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def run(path: Path, *, timeout_s: int = 300) -> nbformat.NotebookNode:
    """Execute a notebook in a fresh kernel, from its own folder.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=timeout_s, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    client.execute()
    return notebook


def without_the_moment(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without widget models, timings, or a kernel's own version."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"].pop(WIDGET_VIEW, None)
    return notebook


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks to run; all of the book's if none is named")
    failed = 0
    for path in parser.parse_args().notebooks or sorted(BOOK.glob("*.ipynb")):
        started = time.perf_counter()
        print(f"{path.name} …", end=" ", flush=True)
        try:
            notebook = without_the_moment(run(path.resolve()))
        except CellExecutionError as error:
            failed += 1
            print(f"failed, left as it was:\n{error}")
            continue
        write_atomically(path, (nbformat.writes(notebook, indent=1).rstrip("\n") + "\n").encode())
        print(f"{time.perf_counter() - started:.1f} s")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
