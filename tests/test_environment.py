"""environment.yml, constraints.txt and pyproject.toml say the same, and can't drift apart."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PIP_LINES = ["-e .[book]"]
PROMISED = ["torch", "jupyter-book<2", "matplotlib", "plotly", "ipywidgets", "scikit-learn", "nbval"]
TORCH = "torch==2.13.0"  # a release that is also offered as a small CPU build


def requirements(project: dict) -> list[Requirement]:
    """Everything that pyproject.toml asks for, in any extra, the project itself left out."""
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    asked = [Requirement(line) for line in lines]
    return [requirement for requirement in asked if canonicalize_name(requirement.name) != project["name"]]


def reached(project: dict, extras: set[str]) -> dict[str, SpecifierSet]:
    """What installing the project with ``extras`` asks for; an extra may name the project with further extras.

    Raises:
        KeyError: an extra that doesn't exist.
    """
    ranges: dict[str, SpecifierSet] = {}
    lines, ahead, seen = list(project["dependencies"]), sorted(extras), set()
    while lines or ahead:
        if not lines:
            extra = ahead.pop()
            lines = [] if extra in seen else list(project["optional-dependencies"][extra])
            seen.add(extra)
            continue
        requirement = Requirement(lines.pop())
        name = canonicalize_name(requirement.name)
        if name == project["name"]:
            ahead += sorted(requirement.extras)
        else:
            ranges[name] = ranges.get(name, SpecifierSet()) & requirement.specifier
    return ranges


def environment_complaints(text: str, project: dict) -> list[str]:
    """environment.yml: conda gives Python and pip, pip gives the rest, from pyproject.toml."""
    try:
        environment = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"it is not YAML: {error}"]
    if not isinstance(environment, dict) or set(environment) != {"name", "channels", "dependencies"}:
        return ["it must hold name, channels and dependencies, and nothing else"]
    complaints = []
    if environment["name"] != project["name"]:
        complaints.append(f"the name must be {project['name']}, got {environment['name']!r}")
    if environment["channels"] != ["conda-forge"]:
        complaints.append(f"the channels must be conda-forge alone, got {environment['channels']!r}")
    from_conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    others = [line for line in environment["dependencies"] if not isinstance(line, str)]
    pythons = [line for line in from_conda if line != "pip"]
    if from_conda.count("pip") != 1:
        complaints.append("conda must bring pip, once")
    try:
        asked = [Requirement(line) for line in pythons]
    except InvalidRequirement as error:
        return [*complaints, f"a conda line can't be read: {error}"]
    if [requirement.name for requirement in asked] != ["python"]:
        complaints.append(f"conda must bring Python and pip and nothing else, got {from_conda}")
    elif asked[0].specifier != SpecifierSet(project["requires-python"]):
        complaints.append(f"Python must be {project['requires-python']}, got {asked[0].specifier}")
    if others != [{"pip": PIP_LINES}]:
        complaints.append(f"there must be one pip section that holds {PIP_LINES}, got {others}")
    return complaints


def named_extras(text: str) -> set[str]:
    """The extras in the editable installs of environment.yml's pip sections."""
    sections = [line["pip"] for line in yaml.safe_load(text)["dependencies"] if isinstance(line, dict)]
    groups = re.findall(r"-e \.\[([^\]]*)\]", "\n".join(line for section in sections for line in section))
    return {extra.strip() for group in groups for extra in group.split(",")}


def promise_complaints(text: str, project: dict) -> list[str]:
    """environment.yml resolves, through pyproject.toml, to every package that the project promises."""
    try:
        ranges = reached(project, named_extras(text))
    except KeyError as error:
        return [f"there is no extra {error}"]
    complaints = []
    for promise in map(Requirement, PROMISED):
        if promise.name not in ranges:
            complaints.append(f"{promise.name} is not reached")
        elif not set(promise.specifier) <= set(ranges[promise.name]):
            complaints.append(f"{promise.name} must be {promise.specifier}, got {ranges[promise.name]}")
    return complaints


def lower_bound_complaints(project: dict) -> list[str]:
    """Every requirement says from which release on it works."""
    return [
        f"{requirement} has no lower bound"
        for requirement in requirements(project)
        if not any(specifier.operator in {">=", ">", "==", "~="} for specifier in requirement.specifier)
    ]


def constraint_complaints(text: str, project: dict) -> list[str]:
    """constraints.txt: torch first, one release a line, inside pyproject.toml's ranges, no dependency left out."""
    lines = [line for raw in text.splitlines() if (line := raw.partition("#")[0].strip())]
    complaints = [] if lines and lines[0] == TORCH else [f"the first line must be {TORCH}"]
    pins: dict[str, Version] = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)==([\w.+!-]+)", line)
        try:
            name, version = canonicalize_name(match[1]), Version(match[2])
        except (TypeError, ValueError):
            complaints.append(f"{line!r} must be name==version")
            continue
        if name in pins:
            complaints.append(f"{name} stands there twice")
        pins[name] = version
    for requirement in requirements(project):
        name = canonicalize_name(requirement.name)
        if name not in pins:
            complaints.append(f"{name} is not pinned")
        elif not requirement.specifier.contains(pins[name], prereleases=True):
            complaints.append(f"{name}=={pins[name]} is outside {requirement.specifier}")
    return complaints


# ------------------------------------------------------------------------------------------------ the files as they are


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def environment() -> str:
    return (ROOT / "environment.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def constraints() -> str:
    return (ROOT / "constraints.txt").read_text(encoding="utf-8")


def test_the_environment_takes_python_and_pip_from_conda_and_the_rest_from_the_project(environment, project):
    assert environment_complaints(environment, project) == []


def test_the_environment_reaches_every_promised_package(environment, project):
    assert named_extras(environment) == {"book"}
    assert promise_complaints(environment, project) == []


def test_every_extra_resolves(project):
    extras = set(project["optional-dependencies"])
    names = {canonicalize_name(requirement.name) for requirement in requirements(project)}
    assert set(reached(project, extras)) == names


def test_every_requirement_has_a_lower_bound(project):
    assert lower_bound_complaints(project) == []


def test_the_constraints_pin_what_the_project_asks_for_inside_its_ranges(constraints, project):
    assert constraint_complaints(constraints, project) == []


# ------------------------------------------------------------------------------------- the checks, on deliberate faults


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: lewm-lite", "name: [lewm-lite", "it is not YAML"),
        ("name: lewm-lite", "title: lewm-lite", "name, channels and dependencies"),
        ("name: lewm-lite", "name: lewm-lite\nprefix: here", "name, channels and dependencies"),
        ("name: lewm-lite", "name: lewm", "the name must be lewm-lite"),
        ("- conda-forge", "- defaults", "the channels must be conda-forge"),
        ("- conda-forge", "- conda-forge\n  - defaults", "the channels must be conda-forge"),
        ("- python>=3.11", "- python>=3.10", "Python must be >=3.11"),
        ("- python>=3.11", "- python>=3.11,<3.14", "Python must be >=3.11"),
        ("- python>=3.11", "- python", "Python must be >=3.11"),
        ("- python>=3.11", "- python=3.11", "a conda line can't be read"),
        ("  - python>=3.11\n", "", "Python and pip and nothing else"),
        ("- python>=3.11", "- python>=3.11\n  - numpy", "Python and pip and nothing else"),
        ("  - pip\n", "", "conda must bring pip"),
        ("-e .[book]", "-e .[chapters]", "one pip section"),
        ("-e .[book]", ".[book]", "one pip section"),
        ("-e .[book]", "-e .[book]\n      - torch", "one pip section"),
        ("  - pip:\n      - -e .[book]\n", "", "one pip section"),
    ],
)
def test_a_wrong_environment_is_complained_about(environment, project, old, new, words):
    assert environment.count(old) == 1
    complaints = environment_complaints(environment.replace(old, new), project)
    assert len(complaints) == 1 and words in complaints[0]


@pytest.mark.parametrize("extras", ["[labs]", "[book,labs]", "[book, labs]"])
def test_an_extra_that_does_not_exist_is_complained_about(environment, project, extras):
    assert promise_complaints(environment.replace("[book]", extras), project) == ["there is no extra 'labs'"]


def test_an_extra_that_leads_to_one_that_does_not_exist_is_complained_about(environment, project):
    faulty = copy.deepcopy(project)
    faulty["optional-dependencies"]["chapters"].append("lewm-lite[labs]")
    assert promise_complaints(environment, faulty) == ["there is no extra 'labs'"]


@pytest.mark.parametrize("name", [Requirement(promise).name for promise in PROMISED])
def test_a_promised_package_that_is_not_reached_is_complained_about(environment, project, name):
    faulty = copy.deepcopy(project)
    for lines in (faulty["dependencies"], *faulty["optional-dependencies"].values()):
        lines[:] = [line for line in lines if Requirement(line).name != name]
    assert promise_complaints(environment, faulty) == [f"{name} is not reached"]


def test_a_broken_chain_of_extras_is_complained_about(environment, project):
    faulty = copy.deepcopy(project)
    faulty["optional-dependencies"]["book"].remove("lewm-lite[chapters]")
    assert promise_complaints(environment, faulty) == [
        f"{name} is not reached" for name in ("matplotlib", "plotly", "ipywidgets", "scikit-learn")
    ]


def test_extras_that_name_each_other_are_followed_once(environment, project):
    circle = copy.deepcopy(project)
    circle["optional-dependencies"]["chapters"].append("lewm-lite[book]")
    assert promise_complaints(environment, circle) == []


@pytest.mark.parametrize("line", ["jupyter-book>=1.0.4.post1", "jupyter-book>=1.0.4.post1,<3"])
def test_a_jupyter_book_that_may_be_the_second_is_complained_about(environment, project, line):
    faulty = copy.deepcopy(project)
    book = faulty["optional-dependencies"]["book"]
    book[:] = [line if Requirement(entry).name == "jupyter-book" else entry for entry in book]
    assert promise_complaints(environment, faulty) == [f"jupyter-book must be <2, got {Requirement(line).specifier}"]


@pytest.mark.parametrize("line", ["tqdm", "tqdm<5", "tqdm!=4.1", "tqdm[notebook]"])
@pytest.mark.parametrize("place", ["dependencies", "export"])
def test_a_requirement_without_a_lower_bound_is_complained_about(project, line, place):
    faulty = copy.deepcopy(project)
    (faulty["dependencies"] if place == "dependencies" else faulty["optional-dependencies"][place]).append(line)
    assert lower_bound_complaints(faulty) == [f"{line} has no lower bound"]


NOT_FIRST, BOOK = f"the first line must be {TORCH}", "jupyter-book==1.0.4.post1"


@pytest.mark.parametrize(
    ("old", "new", "complaints"),
    [
        (TORCH, "torch>=2.13.0", [NOT_FIRST, "'torch>=2.13.0' must be name==version", "torch is not pinned"]),
        (TORCH, "torch==2.12.0", [NOT_FIRST]),
        (TORCH, "torch==2.5.0", [NOT_FIRST, "torch==2.5.0 is outside >=2.6"]),
        (TORCH, f"attrs==25.1.0\n{TORCH}", [NOT_FIRST]),
        (TORCH, f"{TORCH}\ntqdm", ["'tqdm' must be name==version"]),
        (TORCH, f"{TORCH}\ntqdm==4.*", ["'tqdm==4.*' must be name==version"]),
        (TORCH, f"{TORCH}\ntqdm==4,<5", ["'tqdm==4,<5' must be name==version"]),
        (TORCH, f"{TORCH}\ntqdm==new", ["'tqdm==new' must be name==version"]),
        (TORCH, f"{TORCH}\n-r more.txt", ["'-r more.txt' must be name==version"]),
        (TORCH, f"{TORCH}\nTorch==2.13.0", ["torch stands there twice"]),
        (BOOK, "jupyter-book==2.1.0", ["jupyter-book==2.1.0 is outside <2,>=1.0.4.post1"]),
        (BOOK, "", ["jupyter-book is not pinned"]),
    ],
)
def test_wrong_constraints_are_complained_about(constraints, project, old, new, complaints):
    assert constraints.count(f"{old}\n") == 1
    assert constraint_complaints(constraints.replace(f"{old}\n", f"{new}\n"), project) == complaints


def test_empty_constraints_are_complained_about(project):
    complaints = constraint_complaints("# nothing\n", project)
    assert complaints[0] == NOT_FIRST
    assert {f"{canonicalize_name(asked.name)} is not pinned" for asked in requirements(project)} == set(complaints[1:])
