"""A progress bar: a bar in a terminal, one line per change elsewhere."""

from __future__ import annotations

import shutil
from typing import TextIO

from kfnb.resources.localcluster.lifecycle import UpProgress
from kfnb.resources.localcluster.shell_command import printable

_ERASE = "\r\x1b[2K"
_WIDTH = 20


class Bar:
    """Writes progress to a stream, usually standard error. Characters that would steer a terminal are left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._last = ""

    def __call__(self, progress: UpProgress) -> None:
        """Show how far it is."""
        text = printable(f"{progress.step}: {progress.detail}" if progress.detail else progress.step)
        if self._terminal:
            filled = _WIDTH * progress.done // max(progress.total, 1)
            bar = "#" * filled + "-" * (_WIDTH - filled)
            line = f"[{bar}] {progress.done}/{progress.total} {text}"
            self._write(_ERASE + line[: shutil.get_terminal_size().columns - 1])
        elif text != self._last:
            self._last = text
            self._write(f"[{progress.done}/{progress.total}] {text}\n")

    def clear(self) -> None:
        """Make room for other text."""
        if self._terminal:
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
