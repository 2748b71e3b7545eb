"""A cell that is running, as the shell was given it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kfnb.capture.capture import Pending


class Running:
    """A cell's source, the number that the notebook shows for it, the client's id of it (None where it sends none),
    and the component that it is to become; ``bind`` is the name that the component is to be bound to.
    """

    __slots__ = ("bind", "cell_id", "number", "pending", "raw")

    def __init__(self, raw: str, number: int, cell_id: str | None) -> None:
        self.raw = raw
        self.number = number
        self.cell_id = cell_id
        self.pending: Pending | None = None
        self.bind: str | None = None
