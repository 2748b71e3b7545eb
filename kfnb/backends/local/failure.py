"""A step whose process ended without saying why, in words."""

from __future__ import annotations

import os
import signal

from kfnb.model import TaskError


def from_status(status: int, what: str = "process") -> TaskError:
    """The error of a process (or other ``what``) that ended, by ``os.waitpid``'s ``status``, without saying why."""
    if not os.WIFSIGNALED(status):
        code = os.WEXITSTATUS(status)
        return TaskError(f"its {what} ended with exit code {code} before the step was done")
    number = os.WTERMSIG(status)
    name = signal.Signals(number).name
    if number == signal.SIGKILL:
        return TaskError(
            f"its process was killed ({name}), most likely because the machine ran out of memory"
        )
    return TaskError(f"its process was ended by {name} ({signal.strsignal(number)})")
