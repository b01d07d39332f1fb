"""The library keeps the shape that the design gives it: wings in order, small modules, nothing global, a light import.

Each rule is a function from source text to sentences about what breaks it, and is itself tried on sources that do.
"""

from __future__ import annotations

import ast
import importlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import lewm_lite

# From the ground up: a wing imports from itself and from the wings above it in this list.
WINGS = (
    "ground",
    "embeddings",
    "objectives",
    "world",
    "model",
    "training",
    "judging",
    "experiments",
    "figures",
    "labs",
    "chapters",
    "__main__",
)
GROUND = {"seeding", "checks", "files"}
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 250, 60
MAY_PRINT = {"__main__", "chapters"}
NOT_AT_IMPORT = {
    "matplotlib",
    "anywidget",
    "ipywidgets",
    "plotly",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "gymnasium",
    "h5py",
    "sklearn",
    "scipy",
    "IPython",
}
PACKAGE = Path(lewm_lite.__file__).parent


def library() -> dict[str, str]:
    """Source text by module name."""
    sources = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


LIBRARY = library()
EVERY_MODULE = pytest.mark.parametrize("module", LIBRARY)


# ------------------------------------------------------------------ imports


def wing_of(module: str) -> str:
    """The wing of a module's full name; the package itself belongs to none."""
    parts = module.split(".")
    if len(parts) == 1:
        return ""
    return "ground" if parts[1] in GROUND else parts[1]


def walk_running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker reads."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from walk_running(other)
            continue
        yield child
        yield from walk_running(child)


def own_imports(module: str, sources: Mapping[str, str]) -> set[str]:
    """The library's modules that ``module`` imports, at its top or inside a function."""
    is_package = any(other.startswith(f"{module}.") for other in sources)
    found: set[str] = set()
    for node in walk_running(ast.parse(sources[module])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                above = parts[: len(parts) - node.level + is_package]
                base = ".".join([*above, base]).rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in sources else base)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return {name for name in found if name.split(".")[0] == "lewm_lite"} - {module}


def breaks_of_order(sources: Mapping[str, str]) -> list[str]:
    """Imports from a wing further down, from a wing that is in no list, or from the package's own front door."""
    broken = []
    for module in sources:
        wing = wing_of(module)
        if not wing:
            continue
        if wing not in WINGS:
            broken.append(f"{module} is in no known wing")
            continue
        for other in sorted(own_imports(module, sources)):
            if not wing_of(other):
                broken.append(f"{module} imports from {other} itself: name the module that has it")
            elif wing_of(other) not in WINGS:
                broken.append(f"{module} imports {other}, which is in no known wing")
            elif WINGS.index(wing_of(other)) > WINGS.index(wing):
                broken.append(f"{module} imports {other}: {wing_of(other)} is below {wing}")
    return broken


def cycles(sources: Mapping[str, str]) -> list[str]:
    """Circles of imports, each told once, from its first module in the alphabet."""
    graph = {module: sorted(own_imports(module, sources) & set(sources)) for module in sources}
    found = set()

    def follow(path: list[str]) -> None:
        for other in graph[path[-1]]:
            if other == path[0]:
                found.add(" -> ".join([*path, other]))
            elif other not in path and other > path[0]:
                follow([*path, other])

    for module in graph:
        follow([module])
    return sorted(found)


def test_a_wing_imports_only_from_itself_or_wings_above_it():
    assert breaks_of_order(LIBRARY) == []


def test_no_two_modules_import_each_other_not_even_through_others():
    assert cycles(LIBRARY) == []


def tree(**sources: str) -> dict[str, str]:
    """A small library: ``labs__lab="…"`` is ``lewm_lite.labs.lab``; packages are added as needed."""
    named = {f"lewm_lite.{name.replace('__', '.')}": text for name, text in sources.items()}
    packages = {".".join(name.split(".")[:depth]): "" for name in named for depth in range(1, name.count(".") + 1)}
    return {**packages, **named}


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (tree(objectives__a="import lewm_lite.labs.b", labs__b=""), "labs is below objectives"),
        (tree(objectives__a="from lewm_lite.labs.b import x", labs__b=""), "labs is below objectives"),
        (tree(objectives__a="from lewm_lite.labs import b", labs__b=""), "imports lewm_lite.labs.b: labs is below"),
        (tree(objectives__a="from lewm_lite import labs", labs__b=""), "imports lewm_lite.labs: labs is below"),
        (tree(objectives__a="from ..labs.b import x", labs__b=""), "labs is below objectives"),
        (tree(objectives__a="from .. import labs", labs__b=""), "labs is below objectives"),
        (tree(objectives__a="def f():\n    from lewm_lite.labs import b", labs__b=""), "labs is below objectives"),
        (tree(objectives__a="try:\n    import lewm_lite.labs.b\nexcept ImportError:\n    pass", labs__b=""), "labs is"),
        (tree(objectives__a="import_module('lewm_lite.labs.b')", labs__b=""), "labs is below objectives"),
        (tree(checks="from lewm_lite.embeddings import clouds", embeddings__clouds=""), "embeddings is below ground"),
        (tree(labs__a="from lewm_lite import seeded"), "imports from lewm_lite itself"),
        (tree(labs__a="from lewm_lite.attic import x"), "in no known wing"),
        (tree(attic__a=""), "lewm_lite.attic.a is in no known wing"),
        (
            tree(labs__a="if TYPE_CHECKING:\n    pass\nelse:\n    import lewm_lite.chapters.b", chapters__b=""),
            "chapters is below labs",
        ),
    ],
)
def test_an_import_that_breaks_the_order_is_met(sources, message):
    assert any(message in sentence for sentence in breaks_of_order(sources)), breaks_of_order(sources)


@pytest.mark.parametrize(
    "sources",
    [
        tree(
            labs__a="from lewm_lite.objectives.b import x\nfrom lewm_lite.labs import c", labs__c="", objectives__b=""
        ),
        tree(labs__a="from . import c\nfrom .c import x\nfrom ..checks import y", labs__c="", checks=""),
        tree(objectives__a="if TYPE_CHECKING:\n    from lewm_lite.labs.b import Lab", labs__b=""),
        tree(embeddings__a="import torch\nfrom torch import nn\nimport lewm_lite_other"),
        tree(checks="from lewm_lite.files import x", files=""),
    ],
)
def test_an_import_that_keeps_the_order_passes(sources):
    assert breaks_of_order(sources) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            tree(labs__a="import lewm_lite.labs.b", labs__b="def f():\n    from lewm_lite.labs import a"),
            ["lewm_lite.labs.a -> lewm_lite.labs.b -> lewm_lite.labs.a"],
        ),
        (
            tree(labs__a="from .b import x", labs__b="from .c import x", labs__c="from .a import x"),
            ["lewm_lite.labs.a -> lewm_lite.labs.b -> lewm_lite.labs.c -> lewm_lite.labs.a"],
        ),
        (
            {**tree(labs__a="from lewm_lite.labs import Other"), "lewm_lite.labs": "from lewm_lite.labs.a import Lab"},
            ["lewm_lite.labs -> lewm_lite.labs.a -> lewm_lite.labs"],
        ),
        (tree(labs__a="from .b import x\nfrom .c import x", labs__b="from .c import x", labs__c=""), []),
        (tree(labs__a="from .b import x", labs__b="if TYPE_CHECKING:\n    from .a import Lab"), []),
    ],
    ids=["inside a function", "through a third", "through the front door", "a diamond", "types only"],
)
def test_a_circle_of_imports_is_met(sources, expected):
    assert cycles(sources) == expected


# ------------------------------------------------------------------ what no module does

SAMPLERS = {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson"}
SAMPLERS_LIKE = {"rand_like", "randn_like", "randint_like"}
IN_PLACE = {"normal_", "uniform_", "bernoulli_", "random_", "exponential_", "cauchy_", "log_normal_", "geometric_"}
SEEDERS = {"torch.manual_seed", "torch.seed", "torch.initial_seed", "torch.set_rng_state", "torch.get_rng_state"}
OWN_GENERATORS = {"Generator", "SeedSequence", "PCG64", "Philox"}


def full_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: ``np`` for ``numpy``, ``randn`` for ``torch.randn``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def draws_globally(call: ast.Call, names: Mapping[str, str]) -> str | None:
    """The name of a call that reads or sets a random state which nobody handed in, or None."""
    written = ast.unparse(call.func)
    first, _, rest = written.partition(".")
    name = f"{names[first]}.{rest}".rstrip(".") if first in names else written
    last = name.split(".")[-1]
    given = {keyword.arg for keyword in call.keywords}
    if "(" in name:  # a method of what another call gave
        name = last
    if name in SEEDERS or name.startswith(("torch.random.", "torch.cuda.manual_seed", "torch.cuda.seed", "random.")):
        return name
    if name.startswith("numpy.random."):
        unseeded = last == "default_rng" and not (call.args or given)
        return name if unseeded or last not in {"default_rng", *OWN_GENERATORS} else None
    from_torch = name.startswith("torch.") and last in SAMPLERS | SAMPLERS_LIKE
    in_place = isinstance(call.func, ast.Attribute) and last in IN_PLACE
    return name if (from_torch or in_place) and "generator" not in given else None


def forbidden(source: str, module: str) -> list[str]:
    """What a module of the library must not hold, each with its line."""
    parsed = ast.parse(source)
    names = full_names(parsed)
    speaks = wing_of(module) in MAY_PRINT
    command_lines = {call for function in command_line(parsed) for call in ast.walk(function)}
    found: list[tuple[int, str]] = []
    for node in ast.walk(parsed):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            found.append((node.lineno, "import *"))
        elif isinstance(node, ast.Assert):
            found.append((node.lineno, "an assert statement: raise an error that teaches"))
        elif isinstance(node, ast.Call):
            objections = set(forbidden_call(node, names))
            if speaks or node in command_lines:
                objections -= {"print"}
            found += [(node.lineno, words) for words in objections]
    return [f"{module}:{line}: {words}" for line, words in sorted(found)]


def command_line(parsed: ast.Module) -> list[ast.FunctionDef]:
    """The ``main`` of a module that can be run, which speaks to the one who runs it."""
    runs = any(isinstance(node, ast.If) and "__name__ == '__main__'" in ast.unparse(node.test) for node in parsed.body)
    return [node for node in parsed.body if runs and isinstance(node, ast.FunctionDef) and node.name == "main"]


def forbidden_call(call: ast.Call, names: Mapping[str, str]) -> Iterator[str]:
    """The objections to one call."""
    function = call.func
    name = ast.unparse(function).split(".")[-1]
    given = {keyword.arg for keyword in call.keywords}
    if isinstance(function, ast.Name) and name == "print":
        yield "print"
    if isinstance(function, ast.Name) and name == "hasattr":
        yield "hasattr"
    if isinstance(function, ast.Attribute) and name == "cuda":
        yield ".cuda()"
    if drawn := draws_globally(call, names):
        yield f"{drawn} without a generator"
    if name in ("read_text", "write_text") and "encoding" not in given and len(call.args) < 1 + (name == "write_text"):
        yield f"{name} without an encoding: another machine's default is not UTF-8"


@EVERY_MODULE
def test_no_module_holds_what_the_library_forbids(module):
    assert forbidden(LIBRARY[module], module) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from torch import *", "import *"),
        ("def f(x):\n    assert x > 0", "an assert statement"),
        ("print('done')", "print"),
        ("def f(x):\n    return hasattr(x, 'shape')", "hasattr"),
        ("model.cuda()", ".cuda()"),
        ("import torch\ntorch.manual_seed(0)", "torch.manual_seed"),
        ("import torch as t\nt.manual_seed(0)", "torch.manual_seed"),
        ("from torch import manual_seed\nmanual_seed(0)", "torch.manual_seed"),
        ("import torch\ntorch.cuda.manual_seed_all(0)", "torch.cuda.manual_seed_all"),
        ("import torch\nwith torch.random.fork_rng():\n    pass", "torch.random.fork_rng"),
        ("import numpy as np\nnp.random.seed(0)", "numpy.random.seed"),
        ("import numpy as np\nnp.random.randn(3)", "numpy.random.randn"),
        ("from numpy.random import randn\nrandn(3)", "numpy.random.randn"),
        ("import numpy as np\nnp.random.default_rng()", "numpy.random.default_rng"),
        ("import random\nrandom.random()", "random.random"),
        ("from random import shuffle\nshuffle([])", "random.shuffle"),
        ("import torch\ntorch.randn(3)", "torch.randn"),
        ("import torch\ntorch.randperm(3)", "torch.randperm"),
        ("import torch\ntorch.rand_like(x)", "torch.rand_like"),
        ("from torch import randn as gaussian\ngaussian(3)", "torch.randn"),
        ("weights.normal_(0, 1)", "weights.normal_"),
        ("import torch\ntorch.nn.init.uniform_(weights)", "torch.nn.init.uniform_"),
        ("path.read_text()", "read_text without an encoding"),
        ("path.write_text('λ')", "write_text without an encoding"),
    ],
)
def test_what_the_library_forbids_is_met_with_its_line(source, message):
    (sentence,) = forbidden(source, "lewm_lite.labs.bad")
    assert message in sentence
    assert sentence.startswith(f"lewm_lite.labs.bad:{len(source.splitlines()) - source.endswith('pass')}: ")


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.randn(3, generator=generator)",
        "import torch\ntorch.Generator().manual_seed(0)",
        "import numpy as np\nnp.random.default_rng(seed).normal()",
        "weights.normal_(0, 1, generator=generator)",
        "import torch.distributed as dist\ndist.all_reduce(total)",
        "path.read_text(encoding='utf-8')",
        "path.write_text('λ', 'utf-8')",
        "'print(assert hasattr .cuda() torch.manual_seed(0))'  # print(1)",
        "device = torch.device('cuda')",
        "self.print()",
    ],
)
def test_what_is_allowed_passes(source):
    assert forbidden(source, "lewm_lite.labs.good") == []


def test_chapters_and_the_command_line_may_print():
    assert forbidden("print(1)", "lewm_lite.chapters.values") == []
    assert forbidden("print(1)", "lewm_lite.__main__") == []
    assert forbidden("print(1)", "lewm_lite.checks") == ["lewm_lite.checks:1: print"]


def test_an_experiment_that_is_run_may_print_in_its_main_and_nowhere_else():
    source = "def run():\n    print(1)\ndef main():\n    print(2)\n"
    guard = 'if __name__ == "__main__":\n    main()\n'
    assert forbidden(source + guard, "lewm_lite.experiments.e") == ["lewm_lite.experiments.e:2: print"]
    assert len(forbidden(source, "lewm_lite.experiments.e")) == 2


# ------------------------------------------------------------------ size and words


def oversize(source: str, module: str) -> list[str]:
    """Modules and functions that have grown past what a reader takes in."""
    lines = len(source.splitlines())
    found = [f"{module} has {lines} lines, more than {MAX_MODULE_LINES}"] if lines > MAX_MODULE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                found.append(f"{module}.{node.name} has {length} lines, more than {MAX_FUNCTION_LINES}")
    return found


def undocumented(source: str, module: str) -> list[str]:
    """The module, and its public classes, functions and methods, that say nothing of themselves."""
    parsed = ast.parse(source)
    found = [] if ast.get_docstring(parsed) else [module]

    def visit(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for child in node.body:
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if child.name.startswith("_") or child.name == "extra_repr":  # torch's hook, whose meaning is fixed
                continue
            if not ast.get_docstring(child):
                found.append(f"{prefix}.{child.name}")
            if isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}.{child.name}")

    visit(parsed, module)
    return found


@EVERY_MODULE
def test_modules_and_functions_stay_small(module):
    assert oversize(LIBRARY[module], module) == []


@EVERY_MODULE
def test_every_module_and_public_class_and_function_says_what_it_is(module):
    assert undocumented(LIBRARY[module], module) == []


def test_a_module_or_function_that_is_too_long_is_met():
    assert oversize("x = 1\n" * MAX_MODULE_LINES, "m") == []
    assert oversize("x = 1\n" * (MAX_MODULE_LINES + 1), "m") == ["m has 251 lines, more than 250"]
    body = "    x = 1\n" * (MAX_FUNCTION_LINES - 1)
    assert oversize(f"def f():\n{body}", "m") == []
    assert oversize(f"def f():\n{body}    return x\n", "m") == ["m.f has 61 lines, more than 60"]
    indented = body.replace("    ", "        ")
    nested = f"class A:\n    async def g(self):\n{indented}        return x\n"
    assert oversize(nested, "m") == ["m.g has 61 lines, more than 60"]


def test_what_says_nothing_of_itself_is_met():
    source = 'class A:\n    "Words."\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...\nclass _B: ...\n'
    assert undocumented(source, "m") == ["m", "m.A.f", "m.h"]
    assert undocumented('"Words."\ndef f():\n    "Words."\n', "m") == []


# ------------------------------------------------------------------ the public surface


def test_every_public_name_exists_and_is_listed_once_in_order():
    assert len(set(lewm_lite.__all__)) == len(lewm_lite.__all__)
    assert lewm_lite.__all__ == sorted(lewm_lite.__all__)
    for name in lewm_lite.__all__:
        assert getattr(lewm_lite, name) is not None
    assert set(lewm_lite.__all__) <= set(dir(lewm_lite))


@pytest.mark.parametrize("name", lewm_lite.__all__)
def test_every_public_name_says_what_it_is(name):
    assert getattr(lewm_lite, name).__doc__.strip()


def test_a_name_that_is_not_there_is_an_attribute_error_as_everywhere():
    with pytest.raises(AttributeError, match="module 'lewm_lite' has no attribute 'nothing'"):
        _ = lewm_lite.nothing
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from lewm_lite import nothing", {})


def test_names_of_wings_that_need_more_are_fetched_when_asked_for():
    assert lewm_lite.labs is importlib.import_module("lewm_lite.labs")
    for name, place in (("EpisodeDataset", "episode_dataset"), ("collect_episodes", "episodes")):
        assert getattr(lewm_lite, name) is getattr(importlib.import_module(f"lewm_lite.world.{place}"), name)


# ------------------------------------------------------------------ the import itself

MEASURE = """
import json, sys, time
import torch
started = time.perf_counter()
import lewm_lite
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "loaded": sorted({name.split(".")[0] for name in sys.modules})}))
"""


@pytest.fixture(scope="module")
def imports(tmp_path_factory) -> list[dict]:
    """Three fresh processes that import the library: how long it took over torch, and what was loaded."""
    command = [sys.executable, "-c", MEASURE]
    folder = tmp_path_factory.mktemp("elsewhere")
    runs = [subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True) for _ in range(3)]
    return [json.loads(run.stdout) for run in runs]


@pytest.mark.timed
def test_importing_the_library_takes_less_than_a_second_more_than_torch(imports):
    assert statistics.median(run["seconds"] for run in imports) < 1


def test_importing_the_library_brings_in_no_drawing_widgets_or_export(imports):
    for run in imports:
        assert "torch" in run["loaded"]
        assert NOT_AT_IMPORT & set(run["loaded"]) == set()
