"""A lab on the screen: a live widget where there is a kernel, and an HTML form that stands anywhere.

The HTML form is read from the stored assets, so it is the same bytes on every machine. It holds the recorded run as a
still picture and in words; in the built page ``static/lewm-labs.js`` brings it to life.
"""

from __future__ import annotations

import base64
import html
import json
from functools import cache
from typing import TYPE_CHECKING

from lewm_lite.files import asset_path

if TYPE_CHECKING:
    from lewm_lite.labs.lab import Lab


def html_form(lab_name: str, scene: str | None = None) -> str:
    """The lab as HTML: its last recorded moment as data, the still picture, and the words.

    Args:
        lab_name: as in the registry, e.g. ``"cloud_flow"``.
        scene: a recorded scene; the first one by default.
    Raises:
        FileNotFoundError: the lab has no assets. ValueError: no such scene.
    """
    manifest = _manifest(lab_name)
    scenes = manifest["scenes"]
    scene = next(iter(scenes)) if scene is None else scene
    if scene not in scenes:
        raise ValueError(f"scene must be one of {list(scenes)}, got {scene!r}")
    shown = scenes[scene]
    readings = " ".join(
        f'data-{name.replace("_", "-")}="{value:.6g}"' for name, value in shown["last"]["readings"].items()
    )
    still = asset_path(f"labs/{lab_name}/{scene}.svg").read_text(encoding="utf-8")
    return (
        f'<lewm-lab class="lewm-lab" data-lab="{lab_name}" data-scene="{scene}" data-engine="recorded" '
        f'data-reason="not touched yet" data-step="{shown["last"]["step"]}" {readings} role="group" '
        f'aria-label="{html.escape(manifest["title"])}, an interactive figure">'
        f'<figure class="lewm-still">{still}<figcaption>The recording: {html.escape(shown["caption"])} '
        f"<span>Last recorded: {html.escape(shown['last']['words'])}</span></figcaption></figure></lewm-lab>"
    )


def mime_bundle(lab: Lab) -> dict[str, object]:
    """All forms of a lab at once; each place where notebooks are shown takes the richest it understands."""
    png = asset_path(f"labs/{lab.name}/{lab.scene.name}.png").read_bytes()
    bundle: dict[str, object] = {
        "text/plain": repr(lab),
        "text/html": html_form(lab.name, lab.scene.name),
        "image/png": base64.b64encode(png).decode(),
    }
    try:
        from lewm_lite.labs.widget import widget_view
    except ImportError:
        return bundle  # no anywidget here: the recorded form stands alone
    return {**bundle, **widget_view(lab)}


@cache
def _manifest(lab_name: str) -> dict:
    return json.loads(asset_path(f"labs/{lab_name}/manifest.json").read_text(encoding="utf-8"))
