"""The kernel that kfnb is loaded into: it reports each cell that runs, and whether a person is present."""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kfnb import compat
from kfnb.capture import capture
from kfnb.capture.cell import Cell
from kfnb.capture.cell_magics import APART, SET_UP, TRAIN, TRANSFORM, TRIAL, begun
from kfnb.capture.component import Options
from kfnb.capture.file_watch import FileWatch
from kfnb.capture.named_files import named_in
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.notebook_file import NotebookFile
from kfnb.capture.parameters import check_parameters
from kfnb.capture.pending import Pending
from kfnb.capture.setup import TAGS, check_set_up
from kfnb.errors import KfnbError, UsageError
from kfnb.ipython.cell_end import ends_in_an_order
from kfnb.ipython.preload import Ahead
from kfnb.ipython.running_cell import Running
from kfnb.pipeline.workspace import Workspace
from kfnb.settings import settings

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kfnb.live.board import Board
    from kfnb.live.static_views import DisplayPlace


class Kernel:
    """The workspace of an IPython shell. ``running`` are the cells that run at the moment, the innermost last."""

    def __init__(self, shell: InteractiveShell, running: list[Running]) -> None:
        self.shell = shell
        self.running = running
        self._place: DisplayPlace | None = None
        self.ahead = Ahead(busy=lambda: bool(self.running))
        self.file = NotebookFile.find(shell.user_ns)
        folder = self.file.path.parent if self.file else Path.cwd()
        self.workspace = Workspace(
            ExecutedNotebook(
                shell.user_ns,
                folder,
                tagged=self.file.tagged("parameters") if self.file else (),
                set_up=self.file.tagged(*TAGS) if self.file else (),
                linear=not self.attended,
            )
        )

    @property
    def attended(self) -> bool:
        """Whether a person sits before the notebook.

        Clients that execute a notebook by themselves (papermill, nbconvert, nbmake) send ``allow_stdin: false``.
        """
        accepts = compat.accepts_input(self.shell)
        return sys.stdin is not None and sys.stdin.isatty() if accepts is None else accepts

    @property
    def board(self) -> Board | None:
        """What the page shows live; None where there is no page, or no user before it: a terminal, papermill."""
        return self._board if self.attended and hasattr(self.shell, "kernel") else None

    @cached_property
    def _board(self) -> Board:
        from kfnb.live.board import Board
        from kfnb.live.comm import Live

        return Board(Live)

    # -- what the running cell shows --------------------------------------------------------------------------

    def announce(self, text: str) -> None:
        """Show at once what is being done, until ``place`` is taken for what comes of it, or the cell has ended."""
        from IPython.display import display

        if self.board is not None:
            self._place = display({"text/plain": text}, raw=True, display_id=True)

    def place(self) -> DisplayPlace | None:
        """The place of what was announced, for something to be shown there instead."""
        place, self._place = self._place, None
        return place

    # -- cells ------------------------------------------------------------------------------------------------

    @property
    def notebook(self) -> ExecutedNotebook:
        """The notebook that this kernel runs."""
        return self.workspace.notebook

    @property
    def number(self) -> int:
        """The number of the running cell, as the notebook shows it."""
        return self.running[-1].number if self.running else 0

    def begin_component(
        self, name: str, options: Options, bind: str | None = None, *, continues: bool = False
    ) -> None:
        """The running cell is to become a component, bound to the name ``bind``, or a further part of one.

        Raises ``CaptureError``.
        """
        running = self._head("%%kf_component")
        running.bind = bind
        self.notebook.failed.add(name)  # until its cell has run to its end
        running.pending = capture.begin(
            self.notebook,
            self._cell(running, name),
            options,
            continues=continues,
            seed=settings().seed,
        )

    def begin_parameters(self) -> None:
        """The running cell holds the pipelines' parameters; papermill's parameters replace its values."""
        check_parameters(self._cell(self._head("%%kf_parameters")))

    def begin_set_up(self) -> None:
        """Put the running cell's code at the top of every later step. Raises ``CaptureError``."""
        running = self._head(SET_UP)
        check_set_up(self._cell(running))
        running.files = self._watch(running)

    def trial_cell(self, name: str, line: str, body: str) -> Cell:
        """The running cell as the trial of a study: it does not run here. ``line`` and ``body`` are its parts."""
        return self._cell_apart(TRIAL, name, line, body)

    def transform_cell(self, name: str, line: str, body: str) -> Cell:
        """The running cell as a transform, which has a separate namespace. ``line`` and ``body`` are its parts."""
        return self._cell_apart(TRANSFORM, name, line, body)

    def training_cell(self, name: str, line: str, body: str) -> Cell:
        """The running cell as a training, which other processes execute. ``line`` and ``body`` are its parts."""
        return self._cell_apart(TRAIN, name, line, body)

    def _cell_apart(self, head: str, name: str, line: str, body: str) -> Cell:
        running = self.running[-1] if self.running else None
        if running is None or _head_of(running) != head:  # called by a program
            running = Running(f"{head} {line}\n{body}", self.number, None)
        return self._cell(running, name)

    def before_cell(self, running: Running) -> None:
        """A cell is about to run: what it displayed the last time is gone, and a set-up cell's files are seen."""
        if self.notebook.is_tagged_set_up(running.raw):
            running.files = self._watch(running)
        if "_board" in vars(self) and running.cell_id is not None:
            self._board.cleared(running.cell_id)

    def _watch(self, running: Running) -> FileWatch:
        named = named_in(self.notebook.folder, (), [running.raw])
        return FileWatch(self.notebook.folder, above=named.above, code=named.code)

    @property
    def cell_id(self) -> str | None:
        """The client's id of the cell that runs, the outermost of them; None where it sends none."""
        return self.running[0].cell_id if self.running else None

    @property
    def ends_in_an_order(self) -> bool:
        """Whether the cell that runs ends with a call like ``r.wait()``, which is not made to see the run."""
        return bool(self.running) and ends_in_an_order(self.shell.transform_cell(self.running[-1].raw))

    def after_cell(self, running: Running, *, success: bool) -> None:
        """A cell has run: its definitions are taken in, and its component if it is to be one."""
        if (place := self.place()) is not None:
            place.update({"text/plain": ""}, raw=True)
        if running.pending is None:
            self.record(running, success=success)
            return
        try:
            if success:
                self._time(running)
                self._finish(running.pending, running.bind)
        finally:
            running.pending.end()

    def record(self, running: Running, *, success: bool = True) -> None:
        """Take in what a cell defined that is not a component."""
        cell = self._cell(running)
        if cell.head in APART:
            return
        if cell.head == "%%kf_parameters":
            # papermill's values come in a separate cell, which may precede this one
            self.shell.user_ns.update(self.notebook.injected)
        self.notebook.record(cell, failed=not success)
        if running.files is None:
            return
        files = running.files.stop()
        if success:
            self.notebook.files[cell.key] = files
        else:
            what = "run it as it ran before" if self.notebook.has_run_as_set_up(cell) else "do not run it"
            print(f"note: set-up cell {cell} failed: steps {what}")

    def _time(self, running: Running) -> None:
        """Print what ``%%time`` would print."""
        how = begun(running.raw.split("\n"))
        if how is not None and any(line.startswith("%%time") for line in how.dropped):
            print(f"Wall time: {running.seconds:.3g} s")

    def _finish(self, pending: Pending, bind: str | None) -> None:
        try:
            component = capture.finish(self.notebook, pending)
        except KfnbError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return
        if bind is not None:
            self.shell.user_ns[bind] = component
        for note in component.notes:
            print(f"note: {note}")
        self.ahead.begin(self.shell.user_ns)

    def _head(self, head: str) -> Running:
        if not self.running or _head_of(self.running[-1]) != head:
            raise UsageError(f"{head} begins a cell; its code follows on the next lines")
        return self.running[-1]

    def _cell(self, running: Running, name: str = "") -> Cell:
        return self.notebook.cell(running.raw, running.number, running.cell_id, name)


def _head_of(running: Running) -> str:
    """The ``%%kf_...`` word that begins a running cell; empty for a plain one."""
    how = begun(running.raw.split("\n"))
    return how.word if how else ""
