"""What any POSIX system can do for jobs, in place of ``linux``: a fresh Python for each process, and ``psutil``.

macOS forbids much after a fork, so nothing is forked: a step imports what it needs itself, which takes longer.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from kfnb.jobs import private
from kfnb.jobs.child import finish, redirect
from kfnb.jobs.process_spec import TAG, ProcessSpec, Starter, Thread

PREFORKS = False
_PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from kfnb.jobs.portable import main; main()"
)


def claim(tag: str) -> None:
    """Tag this process, and all that it starts, as processes of the job ``tag``."""
    os.environ[TAG] = tag


def tagged(tag: str) -> list[int]:
    """The processes of the job ``tag``, except this one.

    macOS hides the environment of system programs: their parents identify them.
    """
    import psutil

    found: set[int] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(TAG) == tag:
                found |= {process.pid, *(below.pid for below in process.children(recursive=True))}
    return sorted(found - {os.getpid()})


def starter(lock: int) -> Starter:
    """What starts the processes of a driver."""
    del lock  # a fresh Python only gets files that are passed
    return _Programs()


class _Programs:
    """Fresh Pythons, each of which gets its work as a pickle."""

    def __init__(self) -> None:
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def listen(self) -> None:
        """Do nothing: fresh Pythons inherit none of the driver's files."""

    def start(self, task: ProcessSpec) -> int:
        with TemporaryFile() as request, open(task.log, "ab", opener=private.opener) as log:
            own = str(Path(__file__).parents[2])
            request.write(pickle.dumps([own, *sys.path]))
            request.write(pickle.dumps((list(sys.path), task)))
            request.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                stdin=request,
                stdout=log,
                stderr=log,
                cwd=task.folder,
                pass_fds=task.passes,
                start_new_session=True,
            )
        self._started[process.pid] = process
        return process.pid

    def ended(self, pid: int, status: int) -> None:
        self._started.pop(pid).returncode = status  # else Popen would wait for it itself


def main() -> None:
    """In the fresh Python: do the work that stdin holds."""
    sys.path[:], task = pickle.load(sys.stdin.buffer)  # noqa: S301 - the driver's own
    redirect(task.log)
    finish(task.work)


def threads(pid: int) -> Iterator[Thread]:
    """Nothing: how long a thread has queued is unknown here, so no task counts as waiting."""
    del pid
    return iter(())


def held(pid: int) -> int:
    """The memory, in bytes, that a process and those below it hold."""
    import psutil

    total = 0
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total


def memory() -> Iterator[tuple[int, int]]:
    """Bytes that are free, and all, of the machine."""
    import psutil

    usage = psutil.virtual_memory()
    yield usage.available, usage.total
