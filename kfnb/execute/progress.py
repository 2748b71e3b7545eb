"""Progress of notebooks as text: in a terminal one line that is updated, elsewhere line after line."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TextIO

from kfnb.execute.result import NotebookProgress, NotebookResult

_ERASE = "\r\x1b[2K"
_PERIOD = 10.0
"""Seconds between two lines about the same notebook outside a terminal."""


class ProgressText:
    """Write progress to a stream, usually standard error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._running: dict[Path, NotebookProgress] = {}
        self._written: dict[Path, float] = {}

    def __call__(self, progress: NotebookProgress) -> None:
        """Show the progress of a notebook."""
        if progress.result is None:
            self._running[progress.path] = progress
            self._show(progress)
            return
        self._running.pop(progress.path, None)
        self._write(describe(progress.result) + "\n" + self._status())

    def _show(self, progress: NotebookProgress) -> None:
        if self._terminal:
            self._write(self._status())
            return
        now = time.monotonic()
        if now - self._written.get(progress.path, -_PERIOD) >= _PERIOD:
            self._written[progress.path] = now
            self._write(f"{progress.path}: {progress.done} of {progress.total} cells\n")

    def _status(self) -> str:
        """The line about all running notebooks; empty outside a terminal."""
        if not self._terminal or not self._running:
            return ""
        parts = [f"{item.path.name} {item.done}/{item.total}" for item in self._running.values()]
        return "  ".join(parts)[: shutil.get_terminal_size().columns - 1]

    def _write(self, text: str) -> None:
        self._stream.write(_ERASE + text if self._terminal else text)
        self._stream.flush()


def describe(result: NotebookResult) -> str:
    """The result of a notebook, in one line, or a few if it failed."""
    if result.failure is None:
        return f"{result.path}: succeeded in {result.seconds:.1f} s"
    return f"{result.path}: failed after {result.seconds:.1f} s, {result.failure}"
