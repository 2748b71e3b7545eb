"""What a monitor has found and done: ``monitor.db`` in its folder.

Records rather than events: what a check has found never changes, the newest reports are kept, and a list of monitors
reads none of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from kfnb.catalog.database import Database, Schema
from kfnb.errors import BackendError
from kfnb.resources.monitors.model import Action, Report
from kfnb.resources.monitors.panes import Pane
from kfnb.resources.monitors.stored import (
    action_of,
    alarm_of,
    columns_as_json,
    columns_of,
    pane_of,
    report_as_json,
    report_of,
    rule_state_of,
)
from kfnb.resources.monitors.transitions import Standing

T = TypeVar("T")

MOST_REPORTS = 2_000
"""Reports that are kept, the newest."""

_SCHEMA = Schema(
    "the records of a monitor",
    {
        1: (
            "create table reports (seq integer primary key, body text not null, columns text not null)",
            "create table panes (since real not null, until real not null, key text not null, body text not null)",
            "create index panes_until on panes (until)",
            "create table rules (place integer primary key, body text not null)",
            "create table alarms (number integer primary key, body text not null)",
            """create table actions (
                alarm integer not null, attempt integer not null, place integer not null, body text not null,
                primary key (alarm, attempt, place)
            )""",
            "create table facts (name text primary key, value text not null)",
        )
    },
)


class MonitorRecords:
    """The records of the monitor in ``folder``. Every error is a ``BackendError``."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / "monitor.db", _SCHEMA)

    # -- reading

    def reports(self, most: int = MOST_REPORTS, whole: int = MOST_REPORTS) -> list[Report]:
        """The newest reports, the oldest first. Those before the newest ``whole`` ones are without their columns, of
        which there may be hundreds each.
        """
        rows = self._rows("select body from reports order by seq desc limit ?", most)
        columns = self._rows("select columns from reports order by seq desc limit ?", min(most, whole))
        found = [_made(report_of, [one])[0] for one in rows]
        full = [
            replace(one, columns=_made(columns_of, [text])[0])
            for one, text in zip(found, columns, strict=False)
        ]
        return [*full, *found[len(full) :]][::-1]

    def standing(self) -> Standing:
        """The states of the rules, and all alarms."""
        rules = _made(rule_state_of, self._rows("select body from rules order by place"))
        return Standing(
            tuple(rules), tuple(_made(alarm_of, self._rows("select body from alarms order by number")))
        )

    def actions(self) -> list[Action]:
        """What was done, in its order."""
        rows = self._rows("select body from actions order by alarm, attempt, place")
        return _made(action_of, rows)

    def panes(self, key: str, since: float) -> list[Pane]:
        """The panes of a reference that end after a time, the oldest first."""
        query = "select body from panes where key = ? and until > ? order by since"
        return _made(pane_of, self._rows(query, key, since))

    def counted_until(self) -> float | None:
        """Until when requests have been counted; None if none were."""
        found = self._fact("counted")
        return None if found is None else float(found)

    def requested(self) -> float | None:
        """When the newest request was that has been counted; None if none was."""
        found = self._fact("requested")
        return None if found is None else float(found)

    def error(self) -> str:
        """Why the last check failed; empty if it did not."""
        return str(self._fact("error") or "")

    def _fact(self, name: str) -> Any:
        rows = self._rows("select value from facts where name = ?", name)
        return json.loads(rows[0]) if rows else None

    def _rows(self, query: str, *values: Any) -> list[str]:
        with self._database.reading() as connection:
            return [row[0] for row in connection.execute(query, values)]

    # -- writing

    def count(self, pane: Pane, since: float) -> None:
        """Keep a pane, with the time until which it counts.

        Panes that ended before ``since`` are dropped, and those that end within it: the clock was put back.
        """
        with self._database.writing() as connection:
            body = json.dumps(asdict(pane))
            connection.execute("delete from panes where until > ?", (pane.since,))
            connection.execute(
                "insert into panes values (?, ?, ?, ?)", (pane.since, pane.until, pane.key, body)
            )
            connection.execute("delete from panes where until <= ?", (since,))
            _put_fact(connection, "counted", pane.until)
            if pane.newest is not None:  # later than those of the panes before
                _put_fact(connection, "requested", pane.newest)

    def find(self, report: Report, standing: Standing) -> None:
        """Keep a report, and what holds after it."""
        with self._database.writing() as connection:
            values = tuple(map(json.dumps, (report_as_json(report), columns_as_json(report))))
            connection.execute("insert into reports (body, columns) values (?, ?)", values)
            connection.execute(
                "delete from reports where seq <= (select max(seq) from reports) - ?", (MOST_REPORTS,)
            )
            connection.execute("delete from rules")
            _put_all(connection, "rules", enumerate(map(asdict, standing.rules)))
            _put_all(connection, "alarms", ((one.number, asdict(one)) for one in standing.alarms))
            _put_fact(connection, "error", "")

    def act(self, action: Action) -> None:
        """Keep a step as it is now."""
        with self._database.writing() as connection:
            values = (action.alarm, action.attempt, action.place, json.dumps(asdict(action)))
            connection.execute("insert or replace into actions values (?, ?, ?, ?)", values)

    def fail(self, error: str) -> None:
        """Keep why a check failed."""
        with self._database.writing() as connection:
            _put_fact(connection, "error", error)


def _put_fact(connection: sqlite3.Connection, name: str, value: Any) -> None:
    connection.execute("insert or replace into facts values (?, ?)", (name, json.dumps(value)))


def _put_all(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[int, Any]]) -> None:
    query = f"insert or replace into {table} values (?, ?)"  # noqa: S608 - a name of this file's
    connection.executemany(query, [(number, json.dumps(body, default=str)) for number, body in rows])


def _made(make: Callable[[Any], T], bodies: Sequence[str]) -> list[T]:
    try:
        return [make(json.loads(body)) for body in bodies]
    except (TypeError, LookupError, ValueError) as error:
        raise BackendError(f"the records of the monitor are damaged, or of another kfnb: {error!r}") from None
