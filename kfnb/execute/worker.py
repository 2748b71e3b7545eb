"""The process that executes one notebook: ``kfnb run`` starts one per notebook, so that several can run at once.

It reads a job as a line of JSON from its standard input and writes lines of JSON: ``{"done": 3}`` after each
cell, at last ``{"failure": ..., "html": ...}``. When its standard input ends before that, the parent has exited: it
interrupts itself, which ends the kernel too and saves the executed cells.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from kfnb import compat
from kfnb.diagnostics import logger
from kfnb.execute.result import NotebookFailure

_logger = logger(__package__)

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_PREPARING = ("%load_ext ", "%matplotlib")
"""Magics that a cell begins with, whatever it does."""
_LONGEST = 2000
"""Maximum characters of an exception's message that are shown outside the notebook."""


def main() -> None:
    """Execute the job from standard input."""
    events = _take_stdout()
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    os.environ["JPY_SESSION_NAME"] = job["path"]  # the kernel finds the notebook's file by it, as in Jupyter
    watch = ExecutionWatch(events)
    _execute(job, watch)
    ended: dict[str, Any] = {"failure": watch.failure and vars(watch.failure), "html": None}
    if job["html"] and Path(job["output"]).exists():
        ended["html"] = _export(Path(job["output"]), Path(job["html"]))
    _send(events, ended)


class ExecutionWatch:
    """Receives papermill's events: how many cells are done, and which failed."""

    def __init__(self, events: IO[str]) -> None:
        self.failure: NotebookFailure | None = None
        self._events = events
        self._done = 0
        self._running: tuple[Mapping[str, Any], int] | None = None

    def hooks(self) -> dict[str, Any]:
        """The hooks of nbclient that this uses."""
        return {
            "on_cell_execute": self._start,
            "on_cell_executed": self._end,
            "on_cell_error": self._error,
        }

    def fail(self, error: str) -> None:
        """Record ``error`` as the reason, unless a better reason is known."""
        if self.failure is not None:
            return
        if self._running is None:
            self.failure = NotebookFailure(error)
            return
        cell, index = self._running
        self.failure = _blame(cell, index, error, count=self._done + 1)

    def _start(self, cell: Mapping[str, Any], cell_index: int) -> None:
        self._running = cell, cell_index

    def _end(self, **_: Any) -> None:
        self._running = None
        self._done += 1
        _send(self._events, {"done": self._done})

    def _error(self, cell: Mapping[str, Any], cell_index: int, execute_reply: Mapping[str, Any]) -> None:
        reply = execute_reply["content"]
        if "raises-exception" in cell["metadata"].get("tags", ()) or _is_plain_exit(reply):
            return
        traceback = "\n".join(reply.get("traceback", ()))
        error = f"{reply['ename']}: {reply['evalue']}"
        self.failure = _blame(cell, cell_index, error, count=self._done, traceback=traceback)


def _blame(
    cell: Mapping[str, Any], index: int, error: str, *, count: int, traceback: str = ""
) -> NotebookFailure:
    return NotebookFailure(
        error=_ANSI.sub("", error).strip()[:_LONGEST],
        cell=f"cell [{cell.get('execution_count') or count}]",
        index=index,
        line=_telling_line(cell["source"]),
        traceback=_ANSI.sub("", traceback),
    )


def _telling_line(source: str) -> str:
    """The line that a cell is known by: its first one that does more than set up the notebook."""
    lines = [line.strip() for line in source.splitlines() if line.strip()] or [""]
    return next((line for line in lines if not line.startswith(_PREPARING)), lines[0])


def _is_plain_exit(reply: Mapping[str, Any]) -> bool:
    """Whether a cell ended the notebook on purpose: papermill counts ``sys.exit()`` as success."""
    return reply["ename"] == "SystemExit" and reply["evalue"] in {"", "0", "None"}


def _execute(job: Mapping[str, Any], watch: ExecutionWatch) -> None:
    import papermill
    from nbclient.exceptions import DeadKernelError

    try:
        papermill.execute_notebook(
            _literal(job["path"]),
            _literal(job["output"]),
            job["parameters"],
            kernel_name=job["kernel"],
            language=job["language"],
            kernel_manager_class=compat.own_kernel_manager(),
            progress_bar=False,
            cwd=str(Path(job["path"]).parent),
            **watch.hooks(),
        )
    except papermill.PapermillExecutionError as error:
        _settle(job, watch, error)
    except DeadKernelError:
        watch.fail("the kernel exited unexpectedly")
    except KeyboardInterrupt:
        watch.fail("interrupted")
    except Exception as error:
        _logger.warning("Executing the notebook failed.", exc_info=True)
        watch.fail(f"{type(error).__name__}: {error}")


def _settle(job: Mapping[str, Any], watch: ExecutionWatch, error: Exception) -> None:
    """Remove papermill's error cells for cells that are tagged to raise."""
    if watch.failure is not None:
        return
    import nbformat

    executed = nbformat.read(job["output"], as_version=4)
    if all(_was_expected(cell) for cell in executed.cells):
        nbformat.write(compat.without_error_marks(executed), job["output"])
    else:
        watch.fail(str(error))


def _was_expected(cell: Mapping[str, Any]) -> bool:
    tagged = "raises-exception" in cell["metadata"].get("tags", ())
    return tagged or not any(output["output_type"] == "error" for output in cell.get("outputs", ()))


def _export(notebook: Path, html: Path) -> str:
    import nbformat
    from nbconvert import HTMLExporter

    executed = nbformat.read(notebook, as_version=4)
    body, _ = HTMLExporter().from_notebook_node(executed, {"metadata": {"name": notebook.stem}})
    html.write_text(body, encoding="utf-8")
    return str(html)


def _literal(path: str) -> str:
    """Escape a path, as papermill expands ``{name}`` in paths."""
    return path.replace("{", "{{").replace("}", "}}")


def _take_stdout() -> IO[str]:
    """Standard output, for events only; output of libraries goes to standard error instead."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


def _send(events: IO[str], event: Mapping[str, Any]) -> None:
    events.write(json.dumps(event) + "\n")
    events.flush()


def _stop_at_end_of_input() -> None:
    os.read(0, 1)  # not with sys.stdin, whose lock would be held when the interpreter exits
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGINT)
