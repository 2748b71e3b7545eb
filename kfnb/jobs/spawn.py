"""Starts a job's driver as an independent process, outside of this process's terminal and session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from kfnb.errors import BackendError
from kfnb.jobs import prefork, private, system
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.process_spec import TAG

_OF_A_JOB = frozenset(
    {
        TAG,
        *(
            "KFNB_CHECKPOINTS",
            "KFNB_FAILURE",
            "KFNB_LOCAL_RANK",
            "KFNB_RANK",
            "KFNB_RANKS",
            "KFNB_RANK_EVENTS",
        ),
        "KFNB_WORLD_SIZE",
    }
)
"""Variables that a process of a job has, and that mean nothing in another job."""

_PARENT = Path(__file__).parents[2]
"""The folder that contains kfnb."""


def spawn(program: str, folder: JobFolder, lock: int, prefork_in: Path | None = None) -> None:
    """Start ``program``, a module that drives the job in ``folder``, and hand it ``lock``, the job's own.

    With ``prefork_in``, a home, a waiting driver may take over the job (see ``prefork``). Raises ``BackendError``.
    """
    environ = environment()
    if prefork_in is not None and prefork.take_over(prefork_in, folder, lock, environ):
        return
    try:
        with open(folder.driver_log, "ab", opener=private.opener) as log:
            _start([program, str(folder.path), str(lock)], environ, log, [lock])
    except (OSError, subprocess.CalledProcessError) as error:
        raise BackendError(f"cannot start the process: {error}") from None


def stand_by(program: str, home: Path, seconds: float, modules: Iterable[str]) -> None:
    """Start ``program``, which imports ``modules`` and waits ``seconds`` for a job, unless one waits in ``home``.

    It only saves time: a failure to start is ignored.
    """
    environ = environment()
    if not system.here().PREFORKS or prefork.waits(home, environ):
        return
    with suppress(OSError, subprocess.CalledProcessError), Path(os.devnull).open("ab") as nowhere:
        _start([program, str(home), str(seconds), *modules], environ, nowhere, [])


def leave_folder() -> None:
    """In a program started this way: avoid importing modules from the folder that it was started in."""
    if sys.path[0] == str(Path.cwd()):
        sys.path.pop(0)  # python -m put it there


def _start(command: list[str], environ: Mapping[str, str], log: IO[bytes], files: list[int]) -> None:
    """Start a Python module with its arguments and the open ``files``, as a process that outlives this one."""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-m", *command],
        cwd=_PARENT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=files,
        start_new_session=True,
        check=True,
    )


def environment() -> dict[str, str]:
    """The environment of this process, without what it has as a process of another job: a driver has its own."""
    environ = {name: value for name, value in os.environ.items() if name not in _OF_A_JOB}
    environ["_KFP_RUNTIME"] = "true"
    if environ.get("MPLBACKEND", "").startswith("module://"):
        del environ[
            "MPLBACKEND"
        ]  # the kernel's backend, which draws into a notebook that a step does not have
    return environ
