"""What is known of notebooks that are being executed: how far they are, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NotebookFailure:
    """Why a notebook did not reach its end.

    ``cell`` names the cell as its reader sees it (``cell [3]``), empty where no cell is to blame; ``index``
    is its position among all cells that papermill ran, from 0; ``line`` its first line; ``error`` what was
    raised (``ValueError: no such column``); ``traceback`` the kernel's own, without colours.
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
    """One notebook that was executed: ``output`` is what was kept of it, as far as it came."""

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
        """Why it failed, in a line or two; empty when it did not."""
        return "" if self.failure is None else str(self.failure)


@dataclass(frozen=True)
class NotebookProgress:
    """How far a notebook is, in code cells; ``result`` is there once it has ended."""

    path: Path
    done: int
    total: int
    result: NotebookResult | None = None
