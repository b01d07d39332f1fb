"""The labs' scripts and styles on disk, and the one module that a widget can load."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"


def module_source(lab_name: str) -> str:
    """One ES module that holds the shared core and the lab's view: what a widget loads, since it may import nothing."""
    core = (STATIC / "core.mjs").read_text(encoding="utf-8")
    view = (STATIC / "views" / f"{lab_name}.mjs").read_text(encoding="utf-8")
    core = re.sub(r"^export (?=(async )?(function|class|const)\b)", "", core, flags=re.MULTILINE)
    view = re.sub(r'^import \{[^}]*\} from "\.\./core\.mjs";\n', "", view, flags=re.MULTILINE)
    return core + view
