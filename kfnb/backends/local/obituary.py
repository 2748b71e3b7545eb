"""A run whose supervisor is gone without a word: noticed by whoever looks, and written down once."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kfnb.backends.events import fold
from kfnb.backends.local.folder import RunFolder
from kfnb.backends.local.marks import end_marked
from kfnb.backends.local.store import EventLog, Fact, opened
from kfnb.model import RunState

_GONE = "the process that drove this run is gone (it was killed, or the machine went down); retry continues the run"


def bury(folder: RunFolder) -> None:
    """If the run in ``folder`` is unfinished and nobody drives it, end what is left of it, and say so in its events."""
    with opened(folder.path) as log:
        if log.finished():
            return
        lock = folder.lock()
        if lock is None:
            return
        try:
            if not log.finished():  # it may have ended just before it let go of the lock
                end_marked(folder.id)
                log.append(_last_words(folder, log))
        finally:
            os.close(lock)


def _last_words(folder: RunFolder, log: EventLog) -> Iterator[Fact]:
    for task in fold(folder.id, log.read()).tasks:
        if task.state is RunState.RUNNING:
            error = {"message": "its process is gone, with the one that drove the run"}
            yield "state", task.id, {"state": RunState.FAILED, "error": error}
        elif not task.state.finished:
            yield "state", task.id, {"state": RunState.SKIPPED}
    if folder.stopping:
        yield "state", "", {"state": RunState.CANCELED}
    else:
        yield "state", "", {"state": RunState.FAILED, "error": _GONE}
