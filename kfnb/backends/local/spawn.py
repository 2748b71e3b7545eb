"""Starts a run's supervisor, so that it belongs to nobody: not to this process, nor to its terminal or session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kfnb
from kfnb.backends.local.folder import RunFolder
from kfnb.backends.local.marks import MARK
from kfnb.backends.local.warm import revive
from kfnb.errors import BackendError

SUPERVISOR = "kfnb.backends.local.supervisor"


def spawn(folder: RunFolder, lock: int, warm_from: Path | None = None, *, module: str = SUPERVISOR) -> None:
    """Start the supervisor of the run in ``folder`` and hand it ``lock``, the run's own. Raises ``BackendError``.

    With ``warm_from``, a home, one that has just finished there may take the run over (see ``warm``). ``module`` is
    the program that drives.
    """
    environ = _environment(folder)
    if warm_from is not None and revive(warm_from, folder, lock, environ):
        return
    program = [sys.executable, "-m", module, str(folder.path), str(lock)]
    try:
        with folder.supervisor_log.open("ab") as log:
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *program],
                cwd=Path(kfnb.__path__[0]).parent,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
                check=True,
            )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BackendError(f"the process cannot be started: {error}") from None


def _environment(folder: RunFolder) -> dict[str, str]:
    environ = {**os.environ, MARK: folder.id, "_KFP_RUNTIME": "true"}
    if environ.get("MPLBACKEND", "").startswith("module://"):
        del environ["MPLBACKEND"]  # the kernel's own, which draws into a notebook that a step does not have
    return environ
