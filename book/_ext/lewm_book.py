"""The book's own Sphinx extension: brings labs, the page engine and the fetched JavaScript into the built pages.

Nothing is put under ``_static`` of the sources: Jupyter Book loads every script it finds there on every page.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

ICON_SCRIPT = re.compile(r"<script[^>]*fontawesome\.js[^>]*></script>|<link[^>]*fontawesome\.js[^>]*>")
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODULES = HERE.parent / "_web" / "node_modules"

# What is fetched and not committed, under the name it has in the page.
VENDORED = {
    "ort.wasm.bundle.min.mjs": MODULES / "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm": MODULES / "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "tex-chtml.js": MODULES / "mathjax/es5/tex-chtml.js",
}
MATH_FONTS = MODULES / "mathjax/es5/output/chtml/fonts/woff-v2"  # fetched by a page only as its formulas need them


class LabDirective(SphinxDirective):
    """``{lewm-lab} cloud_flow``: a lab in a Markdown page, the same HTML form that a notebook's output holds."""

    required_arguments = 1
    option_spec = {"scene": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        from lewm_lite.labs.showing import html_form  # imports torch: only where a page asks for a lab

        name = self.arguments[0]
        self.env.note_dependency(str(ROOT / "assets/labs" / name / "manifest.json"))
        form = html_form(name, self.options.get("scene"))
        return [nodes.raw("", form, format="html")]


class ClaimsDirective(SphinxDirective):
    """``{claims} article`` or ``{claims} papers``: that source's claims with their verdicts, from ``claims.yml``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        import yaml

        path = ROOT / "book" / "claims.yml"
        self.env.note_dependency(str(path))
        claims = yaml.safe_load(path.read_text())
        wanted = [c for c in claims if (c["source"] == "article") == (self.arguments[0] == "article")]
        rows = ["| claim | verdict | measured | chapters |", "|---|---|---|---|", *map(self._row, wanted)]
        return self.parse_text_to_nodes("\n".join(rows))

    def _row(self, claim: dict) -> str:
        source = "" if claim["source"] == "article" else f" {{cite:p}}`{claim['source']}`, {claim['section']}"
        chapters = ", ".join(self._link(chapter) for chapter in claim["chapters"])
        measured = claim["measured"] or f"*asked:* {claim['ask']}"
        cells = (f"**{claim['id']}** {claim['claim']}{source}", claim["verdict"].replace("_", " "), measured, chapters)
        return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"

    def _link(self, chapter: str) -> str:
        return f"[{chapter[:2]}]({chapter}.ipynb)" if (ROOT / "book" / f"{chapter}.ipynb").exists() else chapter[:2]


def plotly_script() -> Path:
    """plotly.js as the installed Python package ships it, so that the two are of one version."""
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def assemble(app) -> None:
    """Put what the pages load beside them, at every build: Sphinx copies static files only when a page changed."""
    missing = [str(path) for path in VENDORED.values() if not path.exists()]
    if missing:
        raise FileNotFoundError(f"not fetched yet: {', '.join(missing)}: run `make setup`")
    target = Path(app.outdir) / "_static" / "lewm"
    folders = {
        ROOT / "lewm_lite/labs/static": target,
        ROOT / "assets/labs": target / "assets",
        HERE.parent / "_page": target,
        MATH_FONTS: target / "vendor/output/chtml/fonts/woff-v2",
    }
    for source, destination in folders.items():
        for path in source.rglob("*"):
            if path.is_file():
                _copy(path, destination / path.relative_to(source))
    for name, path in {**VENDORED, "plotly.min.js": plotly_script()}.items():
        _copy(path, target / "vendor" / name)


def _copy(source: Path, target: Path) -> None:
    if target.exists() and target.stat().st_mtime_ns == source.stat().st_mtime_ns:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def without_idle_scripts(app, page: str, template: str, context: dict, doctree) -> None:
    """Drop what a page loads and does not use: a switched-off extension, and MathJax where there is no formula."""
    formulas = app.env.get_domain("math").data["has_equations"].get(page, False)  # its own, not those of pages below it
    idle = ["thebe"] if formulas else ["thebe", "mathjax", "tex-chtml"]
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if not any(word in f"{script}{_body(script)}".lower() for word in idle)
    ]


def without_icon_script(app, error) -> None:
    """Drop the theme's half megabyte of icon script: the same icons come from its web font."""
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        lighter = ICON_SCRIPT.sub("", text)
        if lighter != text:
            path.write_text(lighter, encoding="utf-8")


def _body(script: object) -> str:
    return str(getattr(script, "attributes", {}).get("body", ""))


def setup(app) -> dict:
    app.connect("builder-inited", assemble)
    app.connect("html-page-context", without_idle_scripts, priority=900)
    app.connect("build-finished", without_icon_script)
    app.add_directive("lewm-lab", LabDirective)
    app.add_directive("claims", ClaimsDirective)
    app.add_css_file("lewm/labs.css")
    app.add_css_file("lewm/book.css")
    app.add_js_file("lewm/lewm-labs.js", loading_method="defer")
    app.add_js_file("lewm/lewm-plotly.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
