"""Starts a run's supervisor, so that it belongs to nobody: not to this process, nor to its terminal or session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import kfnb
from kfnb.backends.local.folder import RunFolder
from kfnb.backends.local.marks import MARK
from kfnb.backends.local.warm import NOT_YET, revive, waits
from kfnb.errors import BackendError

SUPERVISOR = "kfnb.backends.local.supervisor"
STANDBY = "kfnb.backends.local.standby"


def spawn(folder: RunFolder, lock: int, warm_from: Path | None = None, *, module: str = SUPERVISOR) -> None:
    """Start the supervisor of the run in ``folder`` and hand it ``lock``, the run's own. Raises ``BackendError``.

    With ``warm_from``, a home, one that has just finished there may take the run over (see ``warm``). ``module`` is
    the program that drives.
    """
    environ = _environment(folder.id)
    if warm_from is not None and revive(warm_from, folder, lock, environ):
        return
    try:
        with folder.supervisor_log.open("ab") as log:
            _start([module, str(folder.path), str(lock)], environ, log, [lock])
    except (OSError, subprocess.CalledProcessError) as error:
        raise BackendError(f"the process cannot be started: {error}") from None


def stand_by(home: Path, seconds: float, modules: Iterable[str]) -> None:
    """Start a process that imports ``modules`` and waits ``seconds`` for the first run, unless one waits in ``home``.

    It only saves time: where it cannot be started, nothing is lost.
    """
    environ = _environment(NOT_YET)
    if sys.platform != "linux" or waits(home, environ):
        return
    with suppress(OSError, subprocess.CalledProcessError), Path(os.devnull).open("ab") as nowhere:
        _start([STANDBY, str(home), str(seconds), *modules], environ, nowhere, [])


def _start(command: list[str], environ: Mapping[str, str], log: IO[bytes], files: list[int]) -> None:
    """Start a Python module with its arguments and the open ``files``, as a process that outlives this one."""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-m", *command],
        cwd=Path(kfnb.__path__[0]).parent,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=files,
        start_new_session=True,
        check=True,
    )


def _environment(mark: str) -> dict[str, str]:
    environ = {**os.environ, MARK: mark, "_KFP_RUNTIME": "true"}
    if environ.get("MPLBACKEND", "").startswith("module://"):
        del environ["MPLBACKEND"]  # the kernel's own, which draws into a notebook that a step does not have
    return environ
