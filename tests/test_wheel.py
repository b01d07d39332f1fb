"""The installed wheel carries what the chapters need, runs them far from the checkout, and moves no torch or numpy."""

from __future__ import annotations

import email
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from lewm_lite.labs.showing import html_form

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
KERNEL = "lewm-wheel"
SECONDS_A_CELL = 300

WHERE_IT_IS = """
import json, pathlib, sys
print(json.dumps([place for place in sys.path if (pathlib.Path(place) / "lewm_lite" / "__init__.py").exists()]))
"""
RUN_NOTEBOOK = """
import sys
import nbformat
from nbclient import NotebookClient
path, kernel, folder, seconds = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
place = {"metadata": {"path": folder}}
NotebookClient(notebook, kernel_name=kernel, timeout=int(seconds), resources=place).execute()
"""


def run(*command: object, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed, with nothing of this process's Python in its environment; returns its stdout."""
    done = attempt(*command, cwd=cwd, **environment)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def attempt(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=inherited | {"PYTHONNOUSERSITE": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Outside:
    """A virtual environment far from the checkout, with a folder to stand in."""

    python: Path
    packages: Path
    elsewhere: Path

    def ask(self, code: str) -> object:
        """What ``code`` prints, read as JSON."""
        return json.loads(run(self.python, "-c", code, cwd=self.elsewhere))


def new_environment(folder: Path) -> Outside:
    """A bare virtual environment, without pip and without packages."""
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    (folder / "elsewhere").mkdir()
    return Outside(python, Path(packages.strip()), folder / "elsewhere")


def lend_packages(outside: Outside) -> None:
    """Let the environment see what is installed here; a .pth file's folder has its own .pth files left unread."""
    lent = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (outside.packages / "lent.pth").write_text("\n".join(lent) + "\n")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    alone = [] if importlib.util.find_spec("hatchling") is None else ["--no-isolation"]
    run(sys.executable, "-m", "build", "--wheel", *alone, "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def outside(wheel, tmp_path_factory) -> Outside:
    """An environment that holds the wheel, and sees this one's packages but not its lewm_lite."""
    made = new_environment(tmp_path_factory.mktemp("outside"))
    lend_packages(made)
    assert made.ask(WHERE_IT_IS) == [], "the checkout can be seen: the wheel would not be what is tested"
    (made.packages / "lent.pth").unlink()  # pip must not find, and touch, what is lent
    run(sys.executable, "-m", "pip", "--python", made.python, "install", "--no-deps", "--no-index", wheel, cwd=ROOT)
    lend_packages(made)
    return made


# ------------------------------------------------------------------------------------------------------ what it carries


def files_of(folder: Path) -> set[str]:
    """The files under a folder of the checkout, as the wheel should name them."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    names = {path.relative_to(ROOT).as_posix() for path in found if not path.name.startswith(".")}
    return {name if name.startswith("lewm_lite/") else f"lewm_lite/{name}" for name in names}


def carrying_complaints(carried: set[str], needed: set[str]) -> list[str]:
    """A wheel holds the library with its assets, a description of itself, and nothing else."""
    complaints = [f"{name} is missing" for name in sorted(needed - carried)]
    for name in sorted(carried - needed):
        top, _, rest = name.partition("/")
        if not (top.endswith(".dist-info") and rest):
            complaints.append(f"{name} has no place in it")
    return complaints


@pytest.fixture(scope="module")
def carried(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def needed() -> set[str]:
    return files_of(ROOT / "lewm_lite") | files_of(ROOT / "assets")


def test_it_carries_the_library_its_assets_and_nothing_else(carried, needed):
    assert carrying_complaints(carried, needed) == []
    static = {Path(name).suffix for name in carried if name.startswith("lewm_lite/labs/static/")}
    assert static >= {".mjs", ".js", ".css"}
    assert any(name.startswith("lewm_lite/assets/labs/") for name in carried)


@pytest.mark.parametrize("lost", ["lewm_lite/labs/static/core.mjs", "lewm_lite/assets/labs/cloud_flow/manifest.json"])
def test_a_lost_file_is_complained_about(carried, needed, lost):
    assert carrying_complaints(carried - {lost}, needed) == [f"{lost} is missing"]


@pytest.mark.parametrize("stray", ["tests/test_wheel.py", "book/intro.md", "lewm_lite/stray.txt", "assets/labs/a.svg"])
def test_a_stray_file_is_complained_about(carried, needed, stray):
    assert carrying_complaints(carried | {stray}, needed) == [f"{stray} has no place in it"]


# --------------------------------------------------------------------------------------------------- used far from here


def test_the_library_comes_from_the_wheel_alone(outside):
    assert outside.ask(WHERE_IT_IS) == [str(outside.packages)]
    file = outside.ask("import json, lewm_lite; print(json.dumps(lewm_lite.__file__))")
    assert Path(file) == outside.packages / "lewm_lite" / "__init__.py"


def test_assets_are_found_inside_the_package(outside):
    name = "labs/cloud_flow/manifest.json"
    found = Path(outside.ask(f"import json, lewm_lite; print(json.dumps(str(lewm_lite.asset_path({name!r}))))"))
    assert found == (outside.packages / "lewm_lite" / "assets" / name).resolve()
    assert found.read_bytes() == (ROOT / "assets" / name).read_bytes()


def test_a_lab_shows_the_same_html_form_as_here(outside):
    code = "import json; from lewm_lite.labs.showing import html_form; print(json.dumps(html_form('cloud_flow')))"
    assert outside.ask(code) == html_form("cloud_flow")


def run_chapter(path: Path, outside: Outside, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a copy of a notebook from the top, in the environment's kernel, and ask at its end whose lewm_lite it was."""
    kernel = folder / "jupyter" / "kernels" / KERNEL
    kernel.mkdir(parents=True)
    start = [str(outside.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": start, "display_name": KERNEL, "language": "python"}))
    notebook = nbformat.read(path, as_version=4)
    whose = f"import lewm_lite\nassert lewm_lite.__file__.startswith({str(outside.packages)!r}), lewm_lite.__file__"
    notebook.cells.append(nbformat.v4.new_code_cell(whose, id="whose-library"))
    copy, elsewhere = folder / "copies" / path.name, folder / "elsewhere"
    copy.parent.mkdir()
    elsewhere.mkdir()
    nbformat.write(notebook, copy)
    words = [sys.executable, "-c", RUN_NOTEBOOK, copy, KERNEL, elsewhere, SECONDS_A_CELL]
    settings = {"JUPYTER_PATH": str(folder / "jupyter"), "IPYTHONDIR": str(folder / "ipython")}
    threads = os.environ.get("OMP_NUM_THREADS", "1")  # small tensors: more threads only wait for each other
    return attempt(*words, cwd=elsewhere, OMP_NUM_THREADS=threads, **settings)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_from_top_to_bottom(path, outside, tmp_path):
    done = run_chapter(path, outside, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "error"),
    [("1 / 0", "ZeroDivisionError"), ("import lewm_lite\nlewm_lite.__file__ = 'another'", "AssertionError")],
)
def test_a_chapter_that_fails_or_uses_another_library_is_seen(outside, tmp_path, source, error):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), tmp_path / "faulty.ipynb")
    done = run_chapter(tmp_path / "faulty.ipynb", outside, tmp_path)
    assert done.returncode == 1 and error in done.stderr


# --------------------------------------------------------------------------------------------- torch and numpy stay put


def moving_complaints(requirements: list[str]) -> list[str]:
    """What in a wheel's requirements could make pip take torch or numpy back, or hold them where they are."""
    complaints = []
    for requirement in map(Requirement, requirements):
        if requirement.name in ("torch", "numpy"):
            bounds = [str(bound) for bound in requirement.specifier if bound.operator not in (">=", ">", "!=")]
            complaints += [f"{requirement.name} is held by {bound}" for bound in bounds]
            if requirement.url:
                complaints.append(f"{requirement.name} is held by an address")
    return complaints


def installing_complaints(cell: str) -> list[str]:
    """What in a chapter's first cell could make pip replace what is there."""
    forceful = re.compile(r"(?<!\S)(--upgrade\S*|-U\w*|--force\S*|--ignore-installed|-I)(?!\S)|(==)")
    return [f"{match[0]} would replace what is there" for match in forceful.finditer(cell)]


def metadata_of(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def pretend_installed(outside: Outside, name: str, release: str) -> None:
    """Make pip believe that a package is there; this stands before what is lent."""
    description = outside.packages / f"{name}-{release}.dist-info"
    description.mkdir()
    (description / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n")
    (description / "INSTALLER").write_text("pip\n")
    (description / "RECORD").write_text("")


def would_install(wheel: Path, outside: Outside) -> tuple[dict[str, str], str]:
    """What pip would install for ``wheel[chapters]``, asking no index; and what it complains of, if it can't."""
    pip = [sys.executable, "-m", "pip", "--python", outside.python, "--isolated", "install", "--quiet", "--no-index"]
    asked = f"lewm-lite[chapters] @ {wheel.as_uri()}"
    done = attempt(*pip, "--dry-run", "--report", "-", asked, cwd=outside.elsewhere, PIP_CONFIG_FILE=os.devnull)
    if done.returncode:
        return {}, done.stderr
    entries = [entry["metadata"] for entry in json.loads(done.stdout)["install"]]
    return {entry["name"]: entry["version"] for entry in entries}, ""


def environment_with(folder: Path, **releases: str) -> Outside:
    """An environment that sees what is installed here, except that pip believes in these releases."""
    made = new_environment(folder)
    lend_packages(made)
    for name, release in releases.items():
        pretend_installed(made, name, release)
    return made


@pytest.fixture(scope="module")
def requirements(wheel) -> list[str]:
    return metadata_of(wheel).get_all("Requires-Dist")


def test_the_wheel_asks_for_no_particular_torch_or_numpy(requirements):
    assert moving_complaints(requirements) == []
    asked = {requirement.name: requirement for requirement in map(Requirement, requirements)}
    for name in ("torch", "numpy"):
        assert asked[name].specifier.contains(version(name), prereleases=True)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapters_first_cell_replaces_nothing(path):
    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert installing_complaints(code[0]) == []


@pytest.mark.parametrize(
    ("torch", "numpy"), [("2.6.0", "1.26.4"), ("2.9.1+cu126", "2.0.2"), ("3.0.0", version("numpy"))]
)
def test_installing_the_wheel_never_moves_torch_or_numpy(wheel, tmp_path, torch, numpy):
    other = environment_with(tmp_path, torch=torch, numpy=numpy)
    assert would_install(wheel, other) == ({"lewm-lite": "0.1.0"}, "")


# ------------------------------------------------------------------------------------- the checks, on deliberate faults


@pytest.mark.parametrize("bound", ["torch==2.13.0", "numpy<2.4", "torch~=2.13"])
def test_a_wheel_that_would_move_torch_or_numpy_is_seen(wheel, tmp_path, bound):
    name = Requirement(bound).name
    faulty = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(faulty, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("/METADATA"):
                content = re.sub(
                    rf"(?m)^Requires-Dist: {name}>=.*$".encode(), f"Requires-Dist: {bound}".encode(), content
                )
            new.writestr(entry, content)
    assert moving_complaints(metadata_of(faulty).get_all("Requires-Dist")) != []
    other = environment_with(tmp_path, torch="2.12.0", numpy="2.4.0")
    moved, complaint = would_install(faulty, other)
    assert moved == {} and f"No matching distribution found for {name}" in complaint


def test_requirements_that_hold_torch_or_numpy_are_complained_about():
    assert moving_complaints(["torch>=2.6", "numpy>1.26,!=2.0", "scipy==1.17"]) == []
    assert moving_complaints(["torch>=2.6,<3", "numpy~=2.0; extra == 'chapters'"]) == [
        "torch is held by <3",
        "numpy is held by ~=2.0",
    ]
    assert moving_complaints(["torch @ https://example.org/torch.whl"]) == ["torch is held by an address"]


@pytest.mark.parametrize(
    "words",
    ["--upgrade", "-U", "--upgrade-strategy eager", "--force-reinstall", "--ignore-installed", "-I", '"torch==2.13"'],
)
def test_a_first_cell_that_replaces_something_is_complained_about(words):
    assert (
        installing_complaints('%pip install --quiet "lewm-lite[chapters] @ git+https://example.org/a-Uni@main"') == []
    )
    assert len(installing_complaints(f'%pip install --quiet {words} "lewm-lite[chapters]"')) == 1
