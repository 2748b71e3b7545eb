"""What a trial writes, by ``print``, ``logging`` or otherwise: it goes into the trial's own log, line by line."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress

_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def redirect(log: str) -> None:
    """Everything that is written goes into the trial's own log from here on."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if file > 2:  # noqa: PLR2004 - where a trial closed one of them, it is that one now
        os.close(file)
    # a trial before may have closed its streams, or put others in their place
    sys.stdout, sys.stderr = (
        open(one, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for one in (1, 2)
    )
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=_LINE, force=True)


def flush() -> None:
    """Write a trial's output; what the trial put in its streams' place may not be able to."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
