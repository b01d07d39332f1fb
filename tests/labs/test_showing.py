"""A lab's stored form stands anywhere, the same bytes each time, and its one module is sound JavaScript."""

import base64
import json
import re
import subprocess
from xml.etree import ElementTree

import pytest

from lewm_lite.labs import showing
from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.registry import LABS
from lewm_lite.labs.scripts import STATIC, module_source
from lewm_lite.labs.showing import html_form, mime_bundle

EVERY_SCENE = pytest.mark.parametrize(
    ("name", "scene"), [(name, scene.name) for name, lab in LABS.items() for scene in lab.scenes]
)
EVERY_LAB = pytest.mark.parametrize("name", LABS)


def parsed(form):
    """The form as a tree: it must be well formed, which HTML would forgive."""
    return ElementTree.fromstring(form)


def last_moment(root, name, scene):
    manifest = json.loads((root / f"assets/labs/{name}/manifest.json").read_text(encoding="utf-8"))
    return manifest["scenes"][scene]["last"]


# The HTML form


@EVERY_SCENE
def test_the_form_is_the_same_bytes_twice(name, scene):
    assert html_form(name, scene).encode() == html_form(name, scene).encode()


@EVERY_SCENE
def test_the_form_says_which_lab_and_scene_it_is_and_that_it_is_recorded(name, scene):
    element = parsed(html_form(name, scene))
    assert element.tag == "lewm-lab"
    assert element.get("data-lab") == name
    assert element.get("data-scene") == scene
    assert element.get("data-engine") == "recorded"
    assert element.get("data-reason")


@EVERY_SCENE
def test_the_form_holds_the_last_recorded_readings_as_data(name, scene, root):
    element, last = parsed(html_form(name, scene)), last_moment(root, name, scene)
    assert int(element.get("data-step")) == last["step"]
    assert {reading.name for reading in LABS[name].readings} == set(last["readings"])
    for reading, value in last["readings"].items():
        assert float(element.get(f"data-{reading.replace('_', '-')}")) == pytest.approx(value, rel=1e-5)


@EVERY_SCENE
def test_the_form_tells_the_recording_in_words_and_in_a_picture_with_a_label(name, scene, root):
    element = parsed(html_form(name, scene))
    assert element.get("role") == "group"
    assert LABS[name].title in element.get("aria-label")
    words = "".join(element.find("figure/figcaption").itertext())
    caption = next(known.caption for known in LABS[name].scenes if known.name == scene)
    assert caption in words
    assert last_moment(root, name, scene)["words"] in words
    (picture,) = (child for child in element.find("figure") if child.tag.endswith("svg"))
    assert len(picture.get("aria-label").split()) > 5


@EVERY_SCENE
def test_the_form_fetches_nothing_runs_nothing_and_knows_no_path_of_this_machine(name, scene, root):
    form = html_form(name, scene)
    assert "<script" not in form
    assert "<style" not in form
    assert not re.findall(r'\b(?:src|srcset|action|on\w+)="', form)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', form))
    for path in (str(root), str(STATIC), "/home/", "/Users/", "/tmp/", "site-packages", "file:"):
        assert path not in form


@EVERY_LAB
def test_the_first_scene_is_shown_unless_another_is_named(name):
    assert html_form(name) == html_form(name, LABS[name].scenes[0].name)


def test_what_a_manifest_says_is_escaped(tmp_path, monkeypatch):
    nasty = "<b>\"bold\" & 'brave'</b>"
    manifest = {
        "title": nasty,
        "scenes": {"one": {"caption": nasty, "last": {"step": 3, "readings": {"a_b": 0.5}, "words": nasty}}},
    }
    folder = tmp_path / "labs/nasty"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "one.svg").write_text("<svg/>", encoding="utf-8")
    monkeypatch.setattr(showing, "asset_path", lambda name: tmp_path / name)
    form = html_form("nasty")
    assert "<b>" not in form
    element = parsed(form)
    assert nasty in element.get("aria-label")
    assert "".join(element.itertext()).count(nasty) == 2
    assert element.get("data-a-b") == "0.5"


def test_text_is_read_as_utf_8_whatever_the_machine_s_own_encoding_is():
    assert "λ" in html_form("cloud_flow")
    assert "λ" in module_source("cloud_flow") + html_form("cloud_flow", "plug")


def test_an_unknown_scene_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match=r"scene must be one of \['plug', .*\], got 'sunset'"):
        html_form("cloud_flow", "sunset")


def test_a_lab_without_assets_is_refused_with_its_path():
    with pytest.raises(FileNotFoundError, match="no asset 'labs/nothing/manifest.json'"):
        html_form("nothing")


# The MIME bundle


def test_a_lab_s_bundle_has_words_html_a_picture_and_the_widget():
    bundle = mime_bundle(CloudFlow("one_fixed_direction", seed=3))
    assert set(bundle) == {"text/plain", "text/html", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert bundle["text/plain"] == repr(CloudFlow("one_fixed_direction", seed=3))
    assert bundle["text/html"] == html_form("cloud_flow", "one_fixed_direction")
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG\r\n\x1a\n")
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_the_bundle_is_what_a_notebook_shows():
    bundle = CloudFlow()._repr_mimebundle_()
    assert bundle["text/html"] == html_form("cloud_flow", "plug")


def test_what_is_stored_in_a_notebook_holds_no_address_and_does_not_change():
    lab = CloudFlow(score=lambda embeddings, directions: embeddings.sum())
    first, second = mime_bundle(lab), mime_bundle(CloudFlow())
    for kind in ("text/plain", "text/html", "image/png"):
        assert first[kind] == second[kind]
        assert "0x" not in first["text/plain"]


def test_without_anywidget_the_recorded_form_stands_alone(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lewm_lite.labs.widget", None)  # an import of it now fails
    assert set(mime_bundle(CloudFlow())) == {"text/plain", "text/html", "image/png"}


# The widget's module


@EVERY_LAB
def test_the_widget_s_module_imports_nothing_and_exports_its_lab_only(name):
    source = module_source(name)
    assert not re.findall(r"^\s*import\b", source, flags=re.MULTILINE)
    assert not re.findall(r"\bimport\s*\(", source)
    assert len(re.findall(r"^\s*export\b", source, flags=re.MULTILINE)) == 1
    assert len(re.findall(r"^export default defineLab\(", source, flags=re.MULTILINE)) == 1
    assert len(re.findall(r"^(?:async )?function defineLab\b", source, flags=re.MULTILINE)) == 1


@EVERY_LAB
def test_node_accepts_the_widget_s_module(name, node, tmp_path):
    path = tmp_path / f"{name}.mjs"
    path.write_text(module_source(name), encoding="utf-8")
    check = subprocess.run([node, "--check", path], capture_output=True, text=True, timeout=60, check=False)
    assert check.returncode == 0, check.stderr


@EVERY_LAB
def test_the_widget_s_module_gives_a_render_and_a_mount_function(name, node, tmp_path):
    path = tmp_path / f"{name}.mjs"
    path.write_text(module_source(name), encoding="utf-8")
    ask = f'const lab = (await import("{path.as_uri()}")).default; process.stdout.write(Object.keys(lab).join());'
    answer = subprocess.run(
        [node, "--input-type=module", "-e", ask], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stdout == "mount,render", answer.stderr


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.*js")), ids=lambda path: path.name)
def test_node_accepts_every_script_of_the_labs(path, node, tmp_path):
    copy = tmp_path / f"{path.stem}.mjs"
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    check = subprocess.run([node, "--check", copy], capture_output=True, text=True, timeout=60, check=False)
    assert check.returncode == 0, check.stderr


def test_node_does_refuse_a_broken_module(node, tmp_path):
    path = tmp_path / "broken.mjs"
    path.write_text(module_source("cloud_flow") + "\nconst defineLab = 1;\n", encoding="utf-8")
    check = subprocess.run([node, "--check", path], capture_output=True, text=True, timeout=60, check=False)
    assert check.returncode != 0
    assert "already been declared" in check.stderr
