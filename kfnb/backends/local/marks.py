"""The mark by which every process of a run is known, however far down, even in a session of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

MARK = "KFNB_RUN"
"""The environment variable that holds the run's id; processes inherit it."""


def end_marked(run_id: str) -> None:
    """Kill every process that carries the mark of run ``run_id``, except this one and its parents."""
    for pid in marked(run_id):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def marked(run_id: str) -> list[int]:
    """The processes that carry the mark of run ``run_id``, except this one. Empty where there is no ``/proc``."""
    mark = f"{MARK}={run_id}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        pid = int(entry.parent.name)
        with contextlib.suppress(OSError):
            if pid != os.getpid() and mark in entry.read_bytes().split(b"\0"):
                found.append(pid)
    return found


def remark(run_id: str) -> bool:
    """Carry another run's mark from now on; False where that cannot be.

    Others see the environment that this process was started with, at its place in memory: so that is written over.
    """
    try:
        environ = Path("/proc/self/environ").read_bytes()
        start = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[47])
    except (OSError, ValueError, IndexError):
        return False
    before, mark, rest = (b"\0" + environ).partition(f"\0{MARK}=".encode())
    if not start or not mark or len(rest.partition(b"\0")[0]) != len(run_id.encode()):
        return False
    ctypes.memmove(start + len(before) + len(mark) - 1, run_id.encode(), len(run_id.encode()))
    os.environ[MARK] = run_id
    return os.fsencode(run_id) in Path("/proc/self/environ").read_bytes()
