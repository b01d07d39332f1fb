"""What every test may ask for: one thread, the root of the repository, a node, and a lab small enough to export."""

import re
import shutil
from pathlib import Path

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.labs.controls import Choice, Range, Reading, Toggle
from lewm_lite.labs.feeds import Bank, Graph, OneHot, Setting, State
from lewm_lite.labs.lab import Lab, Phase, Scene

ROOT = Path(__file__).resolve().parent.parent


def scope_of(nodeid: str) -> str:
    """Which tests go to one worker together, so that what a file sets up is set up once.

    Of the pages' tests, those go together that look at one page, which is opened once for them, and those that compare
    one lab with torch; the others share little, and are dealt out one by one.
    """
    path = Path(nodeid.split("::")[0])
    if path.parent.name != "pages" or path.stem == "test_kernel":
        return str(path)
    shared = re.search(r"\[(\w+)\]$" if path.stem == "test_parity" else r"\[.*\b(book/\w+\.html)\b.*\]$", nodeid)
    return f"{path.parent} {shared[1]}" if shared else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With several workers, tests are dealt out by their scopes, the largest first."""
    from xdist.scheduler import LoadScopeScheduling

    class ByScope(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return ByScope(config, log)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tensors of the tests are small: more threads only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node.js; set-up installs one in the virtual environment."""
    own = ROOT / ".venv/bin/node"
    found = str(own) if own.exists() else shutil.which("node")
    if found is None:
        pytest.fail("no Node.js: neither .venv/bin/node nor node on the PATH; run `make setup`")
    return found


@pytest.fixture(scope="session")
def slope():
    """The gradient of a function of a tensor by central differences, one entry at a time."""

    def by_differences(objective, points, *, width=1e-6):
        found = torch.zeros_like(points)
        for place in range(points.numel()):
            nudge = torch.zeros(points.numel(), dtype=points.dtype)
            nudge[place] = width
            nudge = nudge.view_as(points)
            found.view(-1)[place] = (objective(points + nudge) - objective(points - nudge)) / (2 * width)
        return found

    return by_differences


def drift_start(noise, place):
    """Points around 0 or around 10."""
    return {"points": noise + 10 * place[1]}


def drift_step(points, kicks, rate):
    """Points go a share of the way to 0, by the gradient of their squares, and are kicked."""
    gradient = torch.func.grad(lambda z: 0.5 * z.square().sum())(points)
    return {"points": points - rate * gradient + kicks.mean(0), "spread": points.square().mean().sqrt()}


class Drift(Lab):
    """The smallest lab that has every kind of control, source and reading."""

    name = "drift"
    title = "Drift"
    controls = (
        Range("rate", "rate", 0, 1, 0.25, 0.05),
        Range("num_kicks", "kicks", 1, 16, 12, 1),
        Toggle("fresh", "fresh kicks", True),
        Choice("place", "place", (("near", "near"), ("far", "far")), "near", restarts=True),
        Choice("dim", "dimensions", ((1, "1"), (2, "2")), 2, restarts=True),
        Range("num_samples", "points", 2, 128, 100, 1, restarts=True),
        Range("seed", "seed", 0, 3, 0, 1, restarts=True),
    )
    readings = (Reading("spread", "spread", 2, "spread {value}"),)
    recorded = {"points": None, "kicks": 2}
    scenes = (
        Scene("settle", "points go to 0, then stand & wait", {}, (Phase(12), Phase(4, {"rate": 0.0}))),
        Scene("arrive", "points come from afar", {"place": "far"}, (Phase(5),)),
    )

    def graphs(self):
        """``start`` is one graph, ``step`` one for each dimension."""
        return {
            "start": Graph(
                drift_start,
                {"noise": Bank("noise_{dim}", rows="num_samples", seed_stride=128), "place": OneHot("place")},
                ("points",),
                {"noise": {0: "samples"}},
            ),
            "step": Graph(
                drift_step,
                {
                    "points": State(),
                    "kicks": Bank("kicks_{dim}", rows="num_kicks", seed_stride=16, advance="fresh"),
                    "rate": Setting("rate"),
                },
                ("points", "spread"),
                {"points": {0: "samples"}, "kicks": {0: "kicks"}},
                variants="dim",
            ),
        }

    @classmethod
    def banks(cls):
        """Noise for the starts and kicks for the steps."""
        banks = {}
        for dim in (1, 2):
            generator = seeded(dim)
            banks[f"noise_{dim}"] = torch.randn(512, dim, generator=generator)
            banks[f"kicks_{dim}"] = 0.01 * torch.randn(64, dim, generator=generator)
        return banks

    @classmethod
    def draw_still(cls, frames, scene):
        """The spread of every frame."""
        from matplotlib.figure import Figure

        from lewm_lite.figures.picture import Picture

        figure = Figure(figsize=(2, 2))
        figure.subplots().plot([frame.readings["spread"] for frame in frames])
        return Picture(figure, alt=f"The spread of the points over time: {scene.caption}.")


@pytest.fixture(scope="session")
def drift() -> type[Lab]:
    """A lab class for tests: small, fast to export, and not in the registry."""
    return Drift
