"""The processes of a run: one forked for each task, in a session of its own, and all of them ended together.

A fork of the supervisor has everything imported already, so a step starts in some 10 ms. The child is made clean
before user code sees it: default signals, its own stdin and log, none of the supervisor's open files, random numbers
of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from kfnb import compat
from kfnb.backends.local.marks import end_marked

_PR_SET_PDEATHSIG = 1
_GRACE = 2.0
"""Seconds between asking processes to end and ending them."""


class Processes:
    """Starts and awaits the processes of run ``run_id``.

    Made before the supervisor opens files of its own, which, like ``lock``, are not for a child to have.
    """

    def __init__(self, run_id: str, lock: int) -> None:
        self._run_id = run_id
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._inherited = _open_files() - {lock}
        self._ours: set[int] = set()
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        # libraries keep threads that know of fork (OpenBLAS); Python warns of all
        warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)

    def listen(self) -> None:
        """Hear of processes that end, in the event loop that runs."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        self._ours = _open_files() - self._inherited

    async def run(
        self,
        work: Callable[[], int],
        *,
        log: Path,
        folder: Path,
        timeout: float = 0,
        began: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Run ``work`` in a process of its own, in ``folder``, its output appended to ``log``; the wait status.

        ``began`` is told the process's id.
        Raises ``asyncio.TimeoutError`` where it took more than ``timeout`` seconds; it is ended then.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._child(work, log, folder, supervisor)
        self._waiting[pid] = future
        began(pid)
        if timeout and not (await asyncio.wait({future}, timeout=timeout))[0]:
            _signal_group(pid, signal.SIGTERM)
            await asyncio.wait({future}, timeout=_GRACE)
            _signal_group(pid, signal.SIGKILL)
            await future
            raise asyncio.TimeoutError
        return await future

    async def end(self) -> None:
        """End all processes of the run, grandchildren included: kindly at first, then not."""
        self._signal(signal.SIGTERM)
        if self._waiting:
            await asyncio.wait(self._waiting.values(), timeout=_GRACE)
        self._signal(signal.SIGKILL)
        end_marked(self._run_id)

    def _signal(self, number: int) -> None:
        for pid in self._waiting:
            _signal_group(pid, number)

    def _reap(self) -> None:
        for pid in list(self._waiting):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                _signal_group(pid, signal.SIGKILL)  # what it started and left behind
                self._waiting.pop(pid).set_result(status)

    def _child(self, work: Callable[[], int], log: Path, folder: Path, supervisor: int) -> NoReturn:
        status = 1
        try:
            self._settle(log, folder, supervisor)
            status = work()
            compat.run_exit_functions()
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _settle(self, log: Path, folder: Path, supervisor: int) -> None:
        os.setsid()
        if self._libc is not None:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)
        _default_signals()
        compat.forget_running_loop()
        for file in self._ours:
            with contextlib.suppress(OSError):
                os.close(file)
        _redirect(log)
        os.chdir(folder)
        _reseed()


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        if number != signal.SIGKILL:  # so young that it has no group yet
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    except PermissionError:
        pass  # macOS says so of a group of which only the dead are left


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


def _redirect(log: Path) -> None:
    """Give the process an empty stdin, and the log as its output, written line by line."""
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _reseed() -> None:
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
