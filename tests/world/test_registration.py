"""Gymnasium knows the environment as soon as both packages are imported, in either order."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

MAKE = "print(gymnasium.make('lewm_lite/TwoRoom-v0', size=32).reset(seed=0)[0].shape)"


def said_by(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "imports",
    [
        "import gymnasium, lewm_lite",
        "import lewm_lite, gymnasium",
        "import lewm_lite\nfrom gymnasium.envs.registration import make\nimport gymnasium",
        "import gymnasium, lewm_lite.world.two_room",
    ],
)
def test_either_order_will_do(imports):
    assert said_by(f"{imports}\n{MAKE}") == "(32, 32, 3)"


def test_gymnasium_can_be_told_the_module_in_the_id():
    code = "import gymnasium\nprint(gymnasium.make('lewm_lite:lewm_lite/TwoRoom-v0').spec.max_episode_steps)"
    assert said_by(code) == "100"


def test_nothing_is_left_in_the_way_of_imports():
    code = (
        "import sys\nbefore = list(sys.meta_path)\nimport lewm_lite\nassert 'gymnasium' not in sys.modules\n"
        "assert len(sys.meta_path) == len(before) + 1\nimport gymnasium\nassert sys.meta_path == before\n"
        "print(type(gymnasium.__spec__.loader).__name__, type(gymnasium.__loader__).__name__)"
    )
    assert said_by(code) == "SourceFileLoader SourceFileLoader"


def test_without_gymnasium_its_absence_is_told_as_always():
    code = (
        "import sys\nsys.path_importer_cache.clear()\nimport lewm_lite\n"
        "class No:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'gymnasium': raise ModuleNotFoundError('No module named gymnasium', name=name)\n"
        "sys.meta_path.insert(0, No())\n"
        "try:\n    lewm_lite.collect_episodes\nexcept ImportError as error:\n    print(error)"
    )
    assert said_by(code) == "collect_episodes needs gymnasium: pip install 'lewm-lite[world]'"


def test_entering_it_twice_does_no_harm():
    from lewm_lite.world.registration import register_two_room, register_when_gymnasium_is_imported

    before = list(sys.meta_path)
    register_two_room()
    register_two_room()
    register_when_gymnasium_is_imported()
    assert sys.meta_path == before


def test_the_entry_point_that_gymnasium_read_before_its_first_release_is_there():
    (entry,) = [entry for entry in entry_points(group="gymnasium.envs") if entry.value.startswith("lewm_lite.")]
    assert entry.name == "__root__"
    entry.load()()
