"""Progress of notebooks as text: in a terminal a line that is written over, elsewhere line after line."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TextIO

from kfnb.execute.result import NotebookProgress, NotebookResult

_ERASE = "\r\x1b[2K"
_PERIOD = 10.0
"""Seconds between two lines about the same notebook where they cannot be written over."""


class ProgressText:
    """Writes what it is told to a stream, usually standard error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._running: dict[Path, NotebookProgress] = {}
        self._said: dict[Path, float] = {}

    def __call__(self, progress: NotebookProgress) -> None:
        """Show how far a notebook is."""
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
        if now - self._said.get(progress.path, -_PERIOD) >= _PERIOD:
            self._said[progress.path] = now
            self._write(f"{progress.path}: {progress.done} of {progress.total} cells\n")

    def _status(self) -> str:
        """The line about all that are running; empty outside a terminal."""
        if not self._terminal or not self._running:
            return ""
        parts = [f"{item.path.name} {item.done}/{item.total}" for item in self._running.values()]
        return "  ".join(parts)[: shutil.get_terminal_size().columns - 1]

    def _write(self, text: str) -> None:
        self._stream.write(_ERASE + text if self._terminal else text)
        self._stream.flush()


def describe(result: NotebookResult) -> str:
    """How a notebook ended, in a line, or a few when it failed."""
    if result.failure is None:
        return f"{result.path}: succeeded in {result.seconds:.1f} s"
    return f"{result.path}: failed after {result.seconds:.1f} s, {result.failure}"
