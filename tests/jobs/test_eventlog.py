"""The event log: formats and their migrations, and what a newer kfnb has written."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from kfnb.errors import BackendError
from kfnb.jobs import eventlog
from kfnb.jobs.eventlog import FORMAT, opened, reading

OLD = """create table events (
    seq integer primary key, time real not null, kind text not null, task text not null, data text not null
)"""
"""What kfnb 0.1 made: format 1, which has no number."""


def ask(folder: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(folder / "events.db")) as database, database:
        return database.execute(query).fetchall()


def old(folder: Path) -> Path:
    ask(folder, "pragma journal_mode = wal")
    ask(folder, OLD)
    ask(folder, """insert into events values (1, 1.0, 'state', '', '{"state": "RUNNING"}')""")
    return folder


def test_a_new_log_has_the_newest_format_and_a_record_of_how_it_came_to_it(tmp_path):
    with opened(tmp_path, create=True):
        pass
    assert ask(tmp_path, "pragma user_version") == [(FORMAT,)]
    assert [row[0] for row in ask(tmp_path, "select format from migrations")] == list(range(1, FORMAT + 1))


def test_a_log_without_a_number_is_read_as_it_is(tmp_path):
    with reading(old(tmp_path)) as log:
        assert [(event.kind, event.data) for event in log.read()] == [("state", {"state": "RUNNING"})]
        assert (log.finished(), log.newer) == (False, False)
    assert ask(tmp_path, "pragma user_version") == [(0,)]


def test_who_writes_brings_it_up_to_date_and_loses_nothing(tmp_path):
    with opened(old(tmp_path)) as log:
        log.append([("state", "", {"state": "SUCCEEDED"})])
        assert [event.seq for event in log.read()] == [1, 2]
        assert log.finished()
    assert ask(tmp_path, "pragma user_version") == [(FORMAT,)]
    with opened(tmp_path) as log:  # and once is enough
        assert len(log.read()) == 2


def test_a_migration_that_fails_leaves_all_as_it_was(tmp_path, monkeypatch):
    old(tmp_path)
    before = ask(tmp_path, "select * from sqlite_master")
    monkeypatch.setattr(
        eventlog, "_MIGRATIONS", {**eventlog._MIGRATIONS, 2: "create index states on nowhere (x)"}
    )
    with pytest.raises(BackendError, match="cannot be used: no such table"), opened(tmp_path):
        pass
    assert ask(tmp_path, "select * from sqlite_master") == before
    assert ask(tmp_path, "pragma user_version") == [(0,)]


def test_a_log_of_a_newer_format_is_read_as_far_as_it_goes_and_never_written(tmp_path):
    with opened(tmp_path, create=True) as log:
        log.append([("state", "", {"state": "RUNNING"})])
    ask(tmp_path, "alter table events add column author text")
    ask(tmp_path, "pragma user_version = 99")
    with reading(tmp_path) as log:
        assert (log.state(), log.newer) == ("RUNNING", True)
    with (
        pytest.raises(
            BackendError, match=r"written by a newer kfnb \(format 99, this one knows \d\): update"
        ),
        opened(tmp_path),
    ):
        pass


def test_a_newer_log_that_cannot_be_read_is_refused_in_one_line(tmp_path):
    with opened(tmp_path, create=True):
        pass
    ask(tmp_path, "alter table events rename to facts")
    ask(tmp_path, "pragma user_version = 99")
    with (
        pytest.raises(BackendError, match=r"events.db was written by a newer kfnb \(format 99") as caught,
        reading(tmp_path) as log,
    ):
        log.read()
    assert "\n" not in str(caught.value)
