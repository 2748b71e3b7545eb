"""The errors of steps whose processes ended without a reason."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from kfnb.entities import TaskError

_END, _LONGEST = 4096, 300
"""Bytes of a log that are searched for its last line, and how many characters of it are shown."""


def from_status(status: int, what: str = "process", log: Path | None = None, since: int = 0) -> TaskError:
    """The error of a process (or other ``what``) that ended, by ``os.waitpid``'s ``status``, without a reason.

    Its last line of output may help: it is in its ``log``, from the byte ``since`` on.
    """
    if not os.WIFSIGNALED(status):
        code, last = os.WEXITSTATUS(status), last_line(log, since) if log is not None else ""
        message = f"; the last line of its log: {last}" if last else ""
        return TaskError(f"its {what} ended with exit code {code} before the step was done{message}")
    number = os.WTERMSIG(status)
    name = signal.Signals(number).name
    if number == signal.SIGKILL:
        return TaskError(
            f"its process was killed ({name}), most likely because the machine ran out of memory"
        )
    return TaskError(f"its process was ended by {name} ({signal.strsignal(number)})")


def last_line(log: Path, since: int) -> str:
    """The last line that is not empty of a log from the byte ``since`` on, shortened; empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, file.seek(0, os.SEEK_END) - _END))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((" ".join(line.split())[:_LONGEST] for line in reversed(lines) if line.strip()), "")
