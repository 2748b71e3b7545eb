"""The progress and the results of executed notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NotebookFailure:
    """Why a notebook failed.

    ``cell`` is the cell as displayed (``cell [3]``), empty if no cell is the cause; ``index`` is its position among
    all cells that papermill ran, from 0; ``line`` the line that it is known by; ``error`` the exception
    (``ValueError: no such column``); ``traceback`` the kernel's, without colours.
    """

    error: str
    cell: str = ""
    index: int | None = None
    line: str = ""
    traceback: str = ""

    def __str__(self) -> str:
        if not self.cell:
            return self.error
        return f"{self.cell}: {self.line}\n  {self.error}"


@dataclass(frozen=True)
class NotebookResult:
    """One executed notebook: ``output`` is the saved notebook, up to the last cell that ran."""

    path: Path
    output: Path
    html: Path | None
    seconds: float
    failure: NotebookFailure | None = None

    @property
    def succeeded(self) -> bool:
        """Whether every cell ran."""
        return self.failure is None

    @property
    def message(self) -> str:
        """Why it failed, in one or two lines; empty if it succeeded."""
        return "" if self.failure is None else str(self.failure)


@dataclass(frozen=True)
class NotebookProgress:
    """The progress of a notebook, in code cells; ``result`` is set once it has ended."""

    path: Path
    done: int
    total: int
    result: NotebookResult | None = None
