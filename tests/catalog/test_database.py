"""A database of records: formats, migrations and their backups, locks, permissions, kill -9."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from kfnb.catalog import database
from kfnb.catalog.database import Database, Schema
from kfnb.errors import BackendError, BackendUnavailable

FIRST = Schema("the test", {1: ("create table notes (text text not null)",)})
SECOND = Schema("the test", {**FIRST.migrations, 2: ("alter table notes add column author text default ''",)})
BROKEN = Schema(
    "the test", {**SECOND.migrations, 3: ("create table more (a)", "insert into nowhere values (1)")}
)


def write(file: Path, text: str, schema: Schema = FIRST) -> None:
    with Database(file, schema).writing() as connection:
        connection.execute("insert into notes (text) values (?)", (text,))


def read(file: Path, schema: Schema = FIRST) -> list[str]:
    with Database(file, schema).reading() as connection:
        return [text for (text,) in connection.execute("select text from notes order by rowid")]


def test_a_new_database_is_created_by_its_first_use(tmp_path):
    assert read(tmp_path / "deep" / "notes.db") == []
    write(tmp_path / "deep" / "notes.db", "one")
    assert read(tmp_path / "deep" / "notes.db") == ["one"]


def test_an_older_format_is_copied_and_then_migrated(tmp_path):
    file = tmp_path / "notes.db"
    write(file, "old")

    write(file, "new", SECOND)

    assert read(file, SECOND) == ["old", "new"]
    copy = Database(file, SECOND).backup_of(1)
    assert read(copy, FIRST) == ["old"]
    with closing(sqlite3.connect(file)) as connection:
        assert [number for (number,) in connection.execute("select format from migrations")] == [1, 2]


def test_a_migration_that_fails_changes_nothing(tmp_path):
    file = tmp_path / "notes.db"
    write(file, "old", SECOND)

    with pytest.raises(BackendError, match="no such table: nowhere"):
        write(file, "new", BROKEN)

    assert read(file, SECOND) == ["old"]
    with closing(sqlite3.connect(file)) as connection:
        assert not connection.execute("select 1 from sqlite_master where name = 'more'").fetchall()


def test_what_a_newer_kfnb_wrote_is_refused(tmp_path):
    file = tmp_path / "notes.db"
    write(file, "new", SECOND)

    with pytest.raises(BackendError, match=r"newer kfnb \(format 2, .* up to 1\): update kfnb"):
        read(file)
    with pytest.raises(BackendError, match="newer kfnb"):
        write(file, "x")
    assert read(file, SECOND) == ["new"]


def test_a_transaction_that_is_left_by_an_error_is_undone(tmp_path):
    file = tmp_path / "notes.db"

    def half() -> None:
        with Database(file, FIRST).writing() as connection:
            connection.execute("insert into notes values ('half')")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert read(file) == []


def test_a_locked_database_is_waited_for(tmp_path):
    file = tmp_path / "notes.db"
    write(file, "one")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("begin immediate")
        threading.Timer(0.3, lambda: other.execute("rollback")).start()
        begun = time.monotonic()
        write(file, "two")
        assert time.monotonic() - begun > 0.2
    assert read(file) == ["one", "two"]


def test_the_wait_for_a_locked_database_ends(tmp_path):
    file = tmp_path / "notes.db"
    write(file, "one")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin immediate")
        with (
            pytest.raises(BackendUnavailable, match=r"the test in .*notes\.db is locked .* 0\.1 s"),
            Database(file, FIRST, timeout=0.1).writing(),
        ):
            pass


@pytest.mark.parametrize("local", [True, False])
def test_wal_is_only_used_on_a_file_system_of_this_machine(tmp_path, monkeypatch, local):
    monkeypatch.setattr(database, "is_local", lambda _: local)
    write(tmp_path / "notes.db", "one")
    with closing(sqlite3.connect(tmp_path / "notes.db")) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal" if local else "delete",)


@pytest.mark.parametrize(
    ("kind", "local"), [("ext4", True), ("tmpfs", True), ("nfs4", False), ("fuse.sshfs", False), ("", False)]
)
def test_file_systems_of_other_machines_are_known_by_their_names(tmp_path, monkeypatch, kind, local):
    mounted = {"/": "nfs", str(tmp_path): kind, f"{tmp_path}x": "nfs"}
    parts = [SimpleNamespace(mountpoint=where, fstype=what) for where, what in mounted.items()]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: parts)  # noqa: A006 - psutil's own name
    assert database.is_local(tmp_path / "below") is local


@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o600), (0o770, 0o660), (0o2775, 0o664)])
def test_files_have_the_permissions_of_their_folder(tmp_path, folder, file):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(folder)
    write(shared / "notes.db", "one")
    with Database(shared / "notes.db", FIRST).writing():
        assert {path.stat().st_mode & 0o777 for path in shared.iterdir()} == {file}


def test_a_folder_that_is_created_is_private(tmp_path):
    write(tmp_path / "mine" / "notes.db", "one")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "mine" / "notes.db").stat().st_mode & 0o777 == 0o600


def test_a_read_only_folder_can_be_read(tmp_path, monkeypatch):
    write(tmp_path / "notes.db", "one")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert read(tmp_path / "notes.db") == ["one"]


def test_a_damaged_file_is_named_with_its_backup(tmp_path):
    file = tmp_path / "notes.db"
    write(file, "old")
    write(file, "new", SECOND)
    for path in tmp_path.glob("notes.db-*"):
        path.unlink()
    file.write_bytes(b"no database" * 100)
    with pytest.raises(BackendError, match=r"notes\.db is damaged .*; the newest backup is .*format-1"):
        read(file, SECOND)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    (tmp_path / "notes.db").mkdir()
    with pytest.raises(BackendError, match="cannot be used"):
        read(tmp_path / "notes.db")


def test_processes_that_create_one_at_once_all_succeed(tmp_path):
    file = tmp_path / "notes.db"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(file, str(number), SECOND), range(24)))
    assert sorted(read(file, SECOND), key=int) == [str(number) for number in range(24)]


WRITER = """
import sys
from pathlib import Path
from tests.catalog.test_database import write
for number in range(10_000):
    write(Path(sys.argv[1]), str(number))
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_committed(tmp_path):
    file = tmp_path / "notes.db"
    for pause in (0.0, 0.01, 0.03):
        file.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, file], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            last = int(writer.stdout.readline())
            time.sleep(pause)
            writer.send_signal(signal.SIGKILL)
            last = max([last, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        kept = read(file)
        assert kept in ([str(n) for n in range(last + 1)], [str(n) for n in range(last + 2)])
