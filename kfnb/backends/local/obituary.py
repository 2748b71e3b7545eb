"""A run whose supervisor is gone without a word: noticed by whoever looks, and written down once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from kfnb.backends.local.container import remove
from kfnb.backends.local.folder import RunFolder
from kfnb.backends.local.marks import end_marked
from kfnb.backends.local.spare import give_up
from kfnb.backends.local.store import EventLog, Fact, Look
from kfnb.disk import shortage
from kfnb.errors import BackendError
from kfnb.model import RunState, Task
from kfnb.resources.runs.events import fold

_LOST = "its process is gone, with the one that drove the run"


def bury(folder: RunFolder, log: Look) -> None:
    """If the run in ``folder`` is unfinished and nobody drives it, end what is left of it, and say so in its events."""
    if log.finished():
        return
    try:
        lock = folder.lock()
    except BackendError:  # the folder may only be read: who drives it cannot be told
        return
    if lock is None:
        return
    try:
        if not log.finished():  # it may have ended just before it let go of the lock
            end_marked(folder.id)
            for task in fold(folder.id, log.read()).tasks:
                remove(folder.log(task.id).parent)
            give_up(folder.path)
            if folder.stopping:
                end(folder.id, log, RunState.CANCELED, "")
            else:
                end(folder.id, log, RunState.FAILED, reason(folder, "run", "retry continues the run"))
    finally:
        os.close(lock)


def end(run_id: str, log: EventLog, state: RunState, error: str, task_error: str = _LOST) -> None:
    """Write down that a run ends in the midst of what it does, as all of its processes are gone."""
    tasks = fold(run_id, log.read()).tasks
    log.append([*_last_words(tasks, task_error), ("state", "", {"state": state, "error": error})])


def _last_words(tasks: Iterable[Task], error: str) -> Iterator[Fact]:
    for task in tasks:
        if task.state is RunState.RUNNING:
            yield "state", task.id, {"state": RunState.FAILED, "error": {"message": error}}
        elif not task.state.finished:
            yield "state", task.id, {"state": RunState.SKIPPED}


def reason(folder: RunFolder, what: str, on: str) -> str:
    """Why nobody drives ``what`` is in ``folder``, and how to go ``on``.

    A driver that never came up has left the reason as the end of its output.
    """
    try:
        said = folder.supervisor_log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        said = []
    full = shortage(folder.path.parent.parent)
    if full:
        return f"{full}; then {on}"
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    if folder.pid is not None or not last:
        return f"the process that drove this {what} is gone (it was killed, or the machine went down); {on}"
    return f"the process that was to drive this {what} did not start: {last} (all of it in {folder.supervisor_log})"
