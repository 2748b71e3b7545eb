"""The kernel that kfnb is loaded into: it tells the notebook of every cell that runs, and who sits before it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb.capture import capture
from kfnb.capture.cell import HEADS, Cell
from kfnb.capture.component import Options
from kfnb.capture.parameters import check_parameters
from kfnb.capture.notebook import Notebook
from kfnb.errors import KfnbError, UsageError
from kfnb.magics.file import NotebookFile
from kfnb.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell


@dataclass
class Running:
    """A cell that is running: as the kernel was given it, and the component that it is to become."""

    raw: str
    number: int
    cell_id: str | None
    pending: capture.Pending | None = None


class Kernel:
    """Connects an IPython shell and a workspace."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.file = NotebookFile.find(shell.user_ns)
        folder = self.file.path.parent if self.file else Path.cwd()
        self.workspace = Workspace(
            Notebook(
                shell.user_ns,
                folder,
                tagged=self.file.parameter_cells() if self.file else (),
                linear=not self.attended,
            )
        )
        self.running: list[Running] = []

    @property
    def attended(self) -> bool:
        """Whether a person sits before the notebook.

        Clients that execute a notebook by themselves (papermill, nbconvert, nbmake) send ``allow_stdin: false``.
        """
        kernel: Any = getattr(self.shell, "kernel", None)
        if kernel is None:
            return sys.stdin is not None and sys.stdin.isatty()
        parent = kernel.get_parent() if hasattr(kernel, "get_parent") else {}
        return bool(parent.get("content", {}).get("allow_stdin", True))

    # -- cells ------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Listen to the shell, and take in what it has run before."""
        for number, raw in enumerate(self.shell.user_ns.get("In", [])[1:-1], start=1):
            self.notebook.record(self.notebook.cell(raw, number, None))
        self.shell.events.register("pre_run_cell", self.before_cell)
        self.shell.events.register("post_run_cell", self.after_cell)
        self.shell.input_transformers_cleanup.insert(0, run_as_a_cell)

    def disconnect(self) -> None:
        """Listen no more."""
        self.shell.events.unregister("pre_run_cell", self.before_cell)
        self.shell.events.unregister("post_run_cell", self.after_cell)
        self.shell.input_transformers_cleanup.remove(run_as_a_cell)

    @property
    def notebook(self) -> Notebook:
        """The notebook that this kernel runs."""
        return self.workspace.notebook

    def before_cell(self, info: ExecutionInfo) -> None:
        """A cell is about to run."""
        number = self.shell.displayhook.prompt_count  # what Out[...] will say; execution_count differs by version
        self.running.append(Running(info.raw_cell or "", number, getattr(info, "cell_id", None)))

    def after_cell(self, result: ExecutionResult) -> None:
        """A cell has run: its definitions are taken in, and its component if it is to be one."""
        if not self.running:
            return  # the cell that loaded the extension
        running = self.running.pop()
        if running.pending is not None:
            self._finish(running.pending, result)
            return
        cell = self._cell(running)
        if cell.head == "%%kf_parameters":
            # papermill's values come in a cell of their own, which may stand before this one
            self.shell.user_ns.update(self.notebook.injected)
        self.notebook.record(cell)

    def _finish(self, pending: capture.Pending, result: ExecutionResult) -> None:
        if not result.success:
            return
        try:
            component = capture.finish(self.notebook, pending)
        except KfnbError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return
        for note in component.notes:
            print(f"note: {note}")

    @property
    def number(self) -> int:
        """The number of the running cell, as the notebook shows it."""
        return self.running[-1].number if self.running else 0

    def begin_component(self, name: str, options: Options) -> None:
        """The running cell is to become a component. Raises ``CaptureError``."""
        running = self._head("%%kf_component")
        running.pending = capture.begin(self.notebook, self._cell(running, name), options)

    def begin_parameters(self) -> None:
        """The running cell holds the pipelines' parameters; what papermill was given stands for its values."""
        check_parameters(self._cell(self._head("%%kf_parameters")))

    def _head(self, head: str) -> Running:
        running = self.running[-1] if self.running else Running("", 0, None)
        if not running.raw.lstrip().startswith(head):
            raise UsageError(f"{head} begins a cell; its code follows on the next lines")
        return running

    def _cell(self, running: Running, name: str = "") -> Cell:
        return self.notebook.cell(running.raw, running.number, running.cell_id, name)


def run_as_a_cell(lines: list[str]) -> list[str]:
    """An input transformer: a cell that begins with ``%%kf_component`` runs as any cell, after a line magic.

    So its code keeps its line numbers, its display, its ``await`` and its tracebacks.
    """
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if line.startswith(HEADS):
            return [*lines[:index], line[1:], *lines[index + 1 :]]
        return lines
    return lines
