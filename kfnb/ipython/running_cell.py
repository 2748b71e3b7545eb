"""A cell that is running, as the shell was given it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kfnb.capture.file_watch import FileWatch
    from kfnb.capture.pending import Pending


class Running:
    """A cell's source, the number that the notebook shows for it, the client's id of it (None where it sends none),
    and the component that it is to become; ``files`` sees those of a set-up cell, ``bind`` is the name that the
    component is to be bound to, ``begun`` when the cell began.
    """

    __slots__ = ("begun", "bind", "cell_id", "files", "number", "pending", "raw")

    def __init__(self, raw: str, number: int, cell_id: str | None) -> None:
        self.raw = raw
        self.number = number
        self.cell_id = cell_id
        self.pending: Pending | None = None
        self.files: FileWatch | None = None
        self.bind: str | None = None
        self.begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """For how long the cell has been running."""
        return time.monotonic() - self.begun
