"""What only Linux can do for jobs: ``/proc``, ``prctl``, and a fork with everything imported already.

A job's processes carry its tag. A process that was started as a program has it in its environment; a forked process has
the environment of its ancestor, but its own name (``/proc/PID/comm``), which forks inherit and programs do not.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import random
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from kfnb import compat
from kfnb.jobs.child import finish, redirect
from kfnb.jobs.process_spec import TAG, ProcessSpec, Starter, Thread

PREFORKS = True
_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1
_GROUP = Path("/sys/fs/cgroup")
"""The control group of a container, as it sees it: version 2, and below ``memory`` version 1."""


def claim(tag: str) -> None:
    """Tag this process, and all that it starts, as processes of the job ``tag``."""
    os.environ[TAG] = tag
    with suppress(OSError):  # a sandbox may not have it: then only the environment has the tag
        (_PROC / "self" / "comm").write_bytes(_name(tag))


def tagged(tag: str) -> list[int]:
    """The processes of the job ``tag``, except this one."""
    name, variable = _name(tag), f"{TAG}={tag}".encode()
    found = []
    for folder in _PROC.glob("[0-9]*"):
        pid = int(folder.name)
        with suppress(OSError):
            if pid != os.getpid() and (
                (folder / "comm").read_bytes().strip() == name
                or variable in (folder / "environ").read_bytes().split(b"\0")
            ):
                found.append(pid)
    return found


def _name(tag: str) -> bytes:
    """The name of a job's processes: 15 bytes are the most that one may have."""
    return b"kfnb-" + hashlib.sha256(tag.encode()).hexdigest()[:10].encode()


def starter(lock: int) -> Starter:
    """What starts the processes of a driver that holds ``lock``."""
    return _Forks(lock)


class _Forks:
    """Forks of the driver: a step starts in some 10 ms.

    The child is made clean before user code sees it: default signals, its own stdin and log, none of the driver's open
    files, a fresh random state.
    """

    def __init__(self, lock: int) -> None:
        self._inherited = _open_files() - {lock}
        self._ours: set[int] = set()
        self._libc = ctypes.CDLL(None)
        # libraries keep threads that know of fork (OpenBLAS); Python warns of all
        warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)

    def listen(self) -> None:
        self._ours = _open_files() - self._inherited

    def start(self, task: ProcessSpec) -> int:
        driver = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._child(task, driver)
        return pid

    def ended(self, pid: int, status: int) -> None:
        """Nothing is kept of a fork."""

    def _child(self, task: ProcessSpec, driver: int) -> NoReturn:
        def work() -> int:
            self._settle(task, driver)
            return task.work()

        finish(work)

    def _settle(self, task: ProcessSpec, driver: int) -> None:
        os.setsid()
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != driver:
            os._exit(1)
        _default_signals()
        compat.forget_running_loop()
        for file in {*self._ours, *task.shuts} - {*task.passes}:
            with contextlib.suppress(OSError):
                os.close(file)
        redirect(task.log)
        os.chdir(task.folder)
        _reseed()


def _open_files() -> set[int]:
    return {file for file in (int(entry.name) for entry in Path("/dev/fd").iterdir()) if _is_open(file)}


def _is_open(file: int) -> bool:
    """Whether a descriptor is still open: the one that listed them is not."""
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _reseed() -> None:
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def threads(pid: int) -> Iterator[Thread]:
    """The threads of a process and of those below it."""
    for process in _tree(pid):
        with suppress(OSError, ValueError, IndexError):
            for folder in (_PROC / str(process) / "task").iterdir():
                ran, queued = (folder / "schedstat").read_text().split()[:2]
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                yield Thread(int(folder.name), int(ran) + int(queued), runs=state == "R")


def held(pid: int) -> int:
    """The memory, in bytes, that a process and those below it hold."""
    pages = 0
    for process in _tree(pid):
        with suppress(OSError, ValueError, IndexError):
            pages += int((_PROC / str(process) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for file in (_PROC / str(pid) / "task").glob("*/children"):
            for child in file.read_text().split():
                yield from _tree(int(child))


def memory() -> Iterator[tuple[int, int]]:
    """Bytes that are free, and all: of the machine, and of the container where it has a limit."""
    with suppress(OSError, ValueError, KeyError):
        table = _table(_PROC / "meminfo")
        yield table["MemAvailable:"] * 1024, table["MemTotal:"] * 1024
    for limit, used, stat in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        with suppress(OSError, ValueError, KeyError):  # "max": no limit
            total, now = (int((_GROUP / name).read_text()) for name in (limit, used))
            yield total - now + _table(_GROUP / stat)["inactive_file"], total  # files that were read may go


def _table(file: Path) -> dict[str, int]:
    """The numbers in a file of lines ``name number``."""
    return {line.split()[0]: int(line.split()[1]) for line in file.read_text().splitlines()}
