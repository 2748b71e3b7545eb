"""The only module that chooses between Linux (``linux``) and any POSIX system (``portable``).

``KFNB_PORTABLE=1`` chooses the portable way on Linux too, so that the tests run with it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from kfnb.errors import BackendError
from kfnb.jobs.process_spec import Starter, Thread


class System(Protocol):
    """What a module for a system defines."""

    PREFORKS: bool
    """Whether a driver can be forked from a waiting process (see ``prefork``)."""

    def starter(self, lock: int) -> Starter:
        """What starts the processes of a driver that holds ``lock``."""
        ...

    def claim(self, tag: str) -> None:
        """Tag this process, and all that it starts, as processes of the job ``tag``."""
        ...

    def tagged(self, tag: str) -> list[int]:
        """The processes of the job ``tag``, except this one."""
        ...

    def threads(self, pid: int) -> Iterator[Thread]:
        """The threads of a process and of those below it; empty where the system does not show them."""
        ...

    def held(self, pid: int) -> int:
        """The memory, in bytes, that a process and those below it hold."""
        ...

    def memory(self) -> Iterator[tuple[int, int]]:
        """Bytes that are free, and all: of the machine, and of the container where it has a limit."""
        ...


def portable() -> bool:
    """Whether the portable way is chosen."""
    return sys.platform != "linux" or os.environ.get("KFNB_PORTABLE", "") not in ("", "0")


def here() -> System:
    """What this system can do."""
    if portable():
        from kfnb.jobs import portable as chosen

        return chosen
    from kfnb.jobs import linux

    return linux


def end_all(tag: str) -> None:
    """Kill every process of the job ``tag``, however far down, except this one."""
    for pid in here().tagged(tag):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def lock(file: int) -> None:
    """Lock an open file until all processes that share it close it. Raises ``BlockingIOError`` if it is locked."""
    try:
        import fcntl
    except ImportError:
        raise BackendError("local runs need Linux or macOS; use --backend kubeflow") from None
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def gpus() -> int:
    """The NVIDIA GPUs of this machine."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
