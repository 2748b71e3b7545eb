"""What the runs of a home took and made, for the index of lineage: read from their event logs, as quickly as can be."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kfnb.catalog.records import Reading, RunContext, Trace
from kfnb.entities import Amounts, Purpose, RunState
from kfnb.errors import BackendError
from kfnb.jobs import eventlog
from kfnb.jobs.folder import HINT, usable
from kfnb.resources.runs.traces import BEGAN, TracedTask, traced_tasks
from kfnb.resources.runs.usage_data import amounts_of

UNREADABLE = "UNKNOWN"
"""The state of a run whose events cannot be read."""

_KINDS = ("created", "task", "state", "inputs", "outputs", "cached")
# of what tasks occupied, the total of the run is enough
_QUERY = (
    f"select time, kind, task, data from events where kind in ({','.join('?' * len(_KINDS))})"  # noqa: S608 - only marks
    " or (kind = 'usage' and task = '') order by seq"
)
_SEPARATOR = ":"
"""Between the parts of a stamp: of a run that has ended there is only one."""
_STATES = {str(state): state for state in RunState}
_ENDED = frozenset(state for state in RunState if state.finished)
_ANEW = frozenset({RunState.PENDING, RunState.RUNNING, RunState.SKIPPED})
"""The states that end what an earlier attempt at a task had put out."""

Row = tuple[float, str, str, str]


class RunRecords:
    """The runs of a home. See ``kfnb.catalog.records.Source``.

    A run's folder gets another time of modification when a driver begins and when it ends, so that of a finished run
    nothing else is looked at.
    """

    name = "runs"

    def __init__(self, home: Path) -> None:
        self._shelf = home / "runs"

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The runs of the home. Raises ``BackendError``."""
        found = {}
        with usable(self._shelf, HINT):
            try:
                entries = os.scandir(self._shelf)
            except FileNotFoundError:
                return {}
            with entries:
                for entry in entries:
                    name = entry.name
                    if name[0] != "." and entry.is_dir():
                        stamp, before = str(entry.stat().st_mtime_ns), known.get(name, "")
                        # only a run that has not ended is known by its log, too
                        found[name] = _stamp(entry.path) if _SEPARATOR in before else stamp
        return found

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about runs."""
        for unit in units:
            folder = str(self._shelf / unit)
            stamp = _stamp(folder)
            try:
                trace = traced(unit, _rows(folder))
            except (BackendError, ValueError, LookupError, TypeError, AttributeError):
                trace = Trace(RunContext(unit, state=UNREADABLE))
            assert trace.context is not None
            own = stamp.partition(_SEPARATOR)[0]
            if trace.context.state in _ENDED and own == _time_of(folder):
                stamp = own
            yield Reading(unit, stamp, trace)


def _stamp(folder: str) -> str:
    """What changes with the events of a run."""
    log = f"{folder}/{eventlog.FILE}"
    return _SEPARATOR.join(map(_time_of, (folder, log, f"{log}-wal")))


def _time_of(path: str) -> str:
    """When a file or a folder was modified, and its size; empty if it is gone."""
    try:
        status = os.stat(path)  # noqa: PTH116 - many
    except OSError:
        return ""
    return (
        f"{status.st_mtime_ns}" if stat.S_ISDIR(status.st_mode) else f"{status.st_mtime_ns}.{status.st_size}"
    )


def _rows(folder: str) -> list[Row]:
    """The events of a run that lineage needs. Raises ``BackendError``."""
    file = f"{folder}/{eventlog.FILE}"
    try:
        if not _has_log(f"{file}-wal"):
            # no process writes it: it is read without the files that WAL mode would make in the run's folder
            uri = f"file:{quote(file)}?immutable=1"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                return connection.execute(_QUERY, _KINDS).fetchall()
    except sqlite3.Error:
        pass  # a process has just begun to write it
    with eventlog.reading(Path(folder)) as log:
        return [(one.time, one.kind, one.task, json.dumps(dict(one.data))) for one in log.read()]


def _has_log(wal: str) -> bool:
    try:
        return os.stat(wal).st_size > 0  # noqa: PTH116 - many
    except FileNotFoundError:
        return False


class _Task(TracedTask):
    """A task as far as the events have been read."""

    def entered(self, state: RunState, time: float, error: Any) -> None:
        """Take a change of its state into account."""
        if state in _ANEW:
            self.outputs, self.cached = {}, False
        if state is RunState.RUNNING:
            self.started = self.started or time
        self.state, self.finished = state.value, time if state in _ENDED else None
        self.error = str(error.get("message", "")) if isinstance(error, dict) else ""


def traced(run_id: str, rows: Sequence[Row]) -> Trace:
    """The facts about a run from its events. What a newer kfnb has written and this one does not know is left out."""
    header: dict[str, Any] = {}
    created: float | None = None
    run, tasks = _Task(), dict[str, _Task]()
    used: Mapping[Purpose, Amounts] = {}
    for (time, kind, name, _), data in zip(rows, _decoded(rows), strict=True):
        task = tasks.get(name)
        if kind == "created":
            header, created = data, time
        elif kind == "task":
            if not data.get("group"):
                tasks[name] = _Task()
        elif kind == "state":
            state = _STATES.get(data["state"])
            if state is not None and (task or not name):
                (task or run).entered(state, time, data.get("error"))
        elif kind == "usage" and not name:
            used = amounts_of(data["total"])
        elif task is None:
            continue
        elif kind == "inputs":
            task.inputs = data["values"]
        elif kind == "outputs":
            task.outputs = data["values"]
        elif kind == "cached":
            task.cached = True
    context = RunContext(
        run_id,
        str(header.get("name", "")),
        str(header.get("pipeline", "")),
        str(header.get("backend", "local")),
        run.state,
        created,
        run.finished,
        str(header.get("experiment", "")),
        str(header.get("owner", "")),
        used,
    )
    return traced_tasks(context, ((name, task) for name, task in tasks.items() if task.state in BEGAN))


def _decoded(rows: Sequence[Row]) -> list[Any]:
    """The data of events; decoded at once, which is twice as quick as one by one."""
    data: list[Any] = json.loads(f"[{','.join(row[3] for row in rows)}]")
    return data
