"""Curves of a training for TensorBoard, in the folder of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

# TensorBoard writes on a thread of its own after so many seconds; what fails there nobody can catch. Every write is
# followed by a flush on this thread, so that its own turn need never come.
_NEVER_S = 10**6


class Curves:
    """Appends scalars to files that ``tensorboard --logdir`` shows; what was written is on the disk at once.

    Curves are for looking only: when the disk is full they end with a warning, and the training goes on.
    """

    def __init__(self, writer: SummaryWriter | None, warn: Callable[[str], None] = lambda words: None) -> None:
        self._writer, self._warn = writer, warn

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add one value per tag, at ``step``."""
        if self._writer is None:
            return
        try:
            for tag, value in scalars.items():
                self._writer.add_scalar(tag, value, step)
            self._writer.flush()
        except OSError as error:
            self._warn(
                f"step {step}: curves in {self._writer.log_dir} can't be written ({error.strerror or error}): "
                "they end here, and the training goes on without them"
            )
            self.close()

    def close(self) -> None:
        """End them; nothing is written afterwards."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):  # a disk without room for the last values, which was told of when they were written
                writer.close()


@contextmanager
def open_curves(
    folder: Path | None, *, start: int, warn: Callable[[str], None] = lambda words: None
) -> Iterator[Curves]:
    """Curves in ``folder``, which is made if it isn't there; without one, curves that go nowhere.

    Args:
        folder: of the run. start: steps already taken: what an earlier file there says of later ones is forgotten,
            since a resumed run, or one begun again, takes them again.
        warn: called once, with a sentence, when they can't be written any more.
    Raises:
        ModuleNotFoundError: TensorBoard is not installed. OSError: ``folder`` can't be written to at all.
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
    curves = Curves(SummaryWriter(str(folder), purge_step=start + 1, flush_secs=_NEVER_S), warn)
    try:
        yield curves
    finally:
        curves.close()
