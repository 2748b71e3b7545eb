"""What a process that works for a driver does around its work: its streams, and its end."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from kfnb import compat
from kfnb.jobs import private


def finish(work: Callable[[], int]) -> NoReturn:
    """Do ``work`` and end this process with the status that it returns, as any Python ends."""
    status = 1
    try:
        status = work()
        compat.run_exit_functions()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def redirect(log: Path) -> None:
    """Give the process an empty stdin, and the log as its output, written line by line."""
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    with open(log, "ab", opener=private.opener) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
