"""One executed cell: its source as typed, and as the Python of a step."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

from kfnb.capture import shell_syntax
from kfnb.capture.cell_magics import Begun, begun
from kfnb.errors import CaptureError
from kfnb.sourcemap import CellLine


@dataclass(frozen=True)
class Cell:
    """A cell as it ran.

    ``number`` is the execution count that the notebook shows, ``order`` its position among all executions; ``key``
    identifies the cell, so that a cell that runs again is recognized. ``name`` is a component's; ``variables`` are the
    words of its commands that had a value in Python; ``identity`` distinguishes the cells of one component: the
    client's id of the cell, or its text.
    """

    raw: str
    number: int
    order: int
    key: str
    name: str = ""
    variables: frozenset[str] = frozenset()
    identity: str = ""

    def __str__(self) -> str:
        return f"{self.name} [{self.number}]" if self.name else f"[{self.number}]"

    def place(self, line: int) -> CellLine:
        """A line of this cell, counted as the notebook's editor does."""
        return CellLine(str(self), line)

    @property
    def earlier(self) -> frozenset[int]:
        """The orders of cells that this one continues."""
        return frozenset()

    @cached_property
    def begun(self) -> Begun | None:
        """How the cell begins; None for a plain one."""
        return begun(self.raw.split("\n"))

    @property
    def head(self) -> str:
        """The ``%%kf_...`` word that begins the cell; empty for a plain cell."""
        return self.begun.word if self.begun else ""

    @cached_property
    def code(self) -> shell_syntax.CellCode:
        """The cell's Python, with the same lines as the cell; commands and magics are translated."""
        lines = self.raw.split("\n")
        return shell_syntax.translate(
            "\n".join(self.begun.body(lines) if self.begun else lines), self.variables
        )

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of ``code``. Raises ``CaptureError`` where the cell is not valid Python."""
        try:
            return ast.parse(self.code.text)
        except SyntaxError as error:
            place = self.place(error.lineno or 1)
            raise CaptureError(f"{place}: {error.msg}", ref=str(place)) from None

    def lines(self, first: int, last: int) -> str:
        """The lines ``first`` to ``last`` (from 1, both included) of ``code``."""
        return "\n".join(self.code.text.split("\n")[first - 1 : last])
