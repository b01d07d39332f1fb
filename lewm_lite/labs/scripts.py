"""The labs' scripts and styles on disk, and the one module that a widget can load."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
PARTS = ("data", "engines", "panel", "address", "run", "core", "canvas")  # each imports only from those before it


def module_source(lab_name: str) -> str:
    """One ES module of the shared parts and the lab's view: what a widget loads, since it may import nothing."""
    parts = [(STATIC / f"{name}.mjs").read_text(encoding="utf-8") for name in PARTS]
    view = (STATIC / "views" / f"{lab_name}.mjs").read_text(encoding="utf-8")
    shared = re.sub(r"^export (?=(async )?(function|class|const)\b)", "", "\n".join(parts), flags=re.MULTILINE)
    return re.sub(r'^import \{[^}]*\} from "\.{1,2}/\w+\.mjs";\n', "", shared + view, flags=re.MULTILINE)
