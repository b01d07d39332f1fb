"""Curves of a training for TensorBoard, in the folder of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Curves:
    """Appends scalars to files that ``tensorboard --logdir`` shows; what was written is on the disk at once."""

    def __init__(self, writer: SummaryWriter | None) -> None:
        self._writer = writer

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add one value per tag, at ``step``."""
        if self._writer is None:
            return
        for tag, value in scalars.items():
            self._writer.add_scalar(tag, value, step)
        self._writer.flush()


@contextmanager
def open_curves(folder: Path | None, *, start: int) -> Iterator[Curves]:
    """Curves in ``folder``, which is made if it isn't there; without one, curves that go nowhere.

    Args:
        folder: of the run. start: steps already taken: what an earlier file there says of later ones is forgotten,
            since a resumed run takes them again.
    Raises:
        ModuleNotFoundError: TensorBoard is not installed.
    """
    if folder is None:
        yield Curves(None)
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error}: a run that keeps curves in a folder needs TensorBoard, which "
            "pip install 'lewm-lite[train]' brings"
        ) from error
    with SummaryWriter(str(folder), purge_step=start + 1 if start else None) as writer:
        yield Curves(writer)
