"""How Gymnasium learns of the environment, without this library importing Gymnasium.

Gymnasium before 1.0 reads the entry point ``gymnasium.envs`` in pyproject.toml. Later releases look at no entry point:
there the environment is entered as soon as both packages are imported, in either order.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

TWO_ROOM = "lewm_lite/TwoRoom-v0"
MAX_STEPS = 100


def register_two_room() -> None:
    """Enter ``lewm_lite/TwoRoom-v0`` in Gymnasium's registry; once is enough, and twice does no harm."""
    from gymnasium.envs.registration import register, registry

    if TWO_ROOM not in registry:
        register(id=TWO_ROOM, entry_point="lewm_lite.world.two_room:TwoRoom", max_episode_steps=MAX_STEPS)


def register_when_gymnasium_is_imported() -> None:
    """Enter the environment now if Gymnasium is there already, else as soon as somebody imports it."""
    if "gymnasium.envs.registration" in sys.modules:
        register_two_room()
    elif not any(isinstance(finder, _Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch())


class _Watch(MetaPathFinder):
    """Stands in the way of ``import gymnasium`` once, and has the environment entered when that import is done."""

    def find_spec(self, fullname: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenRegister(spec.loader)
        return spec


class _ThenRegister(Loader):
    """Loads a module as its own loader does, and enters the environment afterwards."""

    def __init__(self, inner: Loader) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = module.__spec__.loader = self._inner  # whoever asks later sees the true loader
        self._inner.exec_module(module)
        register_two_room()
