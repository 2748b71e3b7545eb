"""The index of lineage follows the records that it is derived from, whatever happens to it or to them."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from homes import Records, Step, churn, digest, facts, write_run

from kfnb.catalog.database import Database
from kfnb.catalog.index import FILE, Index
from kfnb.catalog.records import ArtifactRecord
from kfnb.catalog.schema import SCHEMA
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs.eventlog import EventLog
from kfnb.resources.runs.local.traces import RunRecords

TABLES = ("contexts", "executions", "artifacts", "events", "names", "same", "made", "derived", "units")


def index_of(home: Path, *more: Records) -> Index:
    return Index(home, [RunRecords(home), *more])


def runs(index: Index) -> dict[str, str]:
    with index.reading() as connection:
        return dict(connection.execute("select run, state from contexts order by run"))


def rows(index: Index) -> int:
    with index.reading() as connection:
        return sum(connection.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES)


def test_a_home_without_runs_has_an_empty_index(tmp_path):
    assert runs(index_of(tmp_path)) == {}


def test_only_what_is_new_or_has_changed_is_read(tmp_path):
    index = index_of(tmp_path)
    churn(tmp_path, "261130-080000-aaaa")
    assert index.refresh() == 1
    assert index.refresh() == 0
    churn(tmp_path, "261130-080000-bbbb")
    assert index.refresh() == 1
    assert set(runs(index)) == {"261130-080000-aaaa", "261130-080000-bbbb"}


def test_a_run_that_is_still_running_is_read_again_when_it_has_new_events(tmp_path):
    index = index_of(tmp_path)
    folder = write_run(tmp_path, "261130-080000-aaaa", Step("load", makes={"df": "df"}), state="")
    assert runs(index) == {"261130-080000-aaaa": "RUNNING"}
    log = EventLog(folder)
    log.append([("state", "", {"state": "SUCCEEDED"})])
    assert runs(index) == {"261130-080000-aaaa": "SUCCEEDED"}
    log.close()
    index.refresh()
    assert index.refresh() == 0


def test_a_deleted_run_is_forgotten_with_all_of_its_rows(tmp_path):
    index = index_of(tmp_path)
    folder = churn(tmp_path)
    assert rows(index)
    shutil.rmtree(folder)
    assert runs(index) == {}
    assert rows(index) == 0


def test_a_moved_home_keeps_its_index(tmp_path):
    churn(tmp_path / "before")
    index_of(tmp_path / "before").refresh()
    shutil.move(tmp_path / "before", tmp_path / "after")
    assert index_of(tmp_path / "after").refresh() == 0
    assert list(runs(index_of(tmp_path / "after"))) == ["261130-080000-aaaa"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b"not a database"),
        lambda file: file.write_bytes(b""),
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"\0" * 100 + file.read_bytes()[100:]),
        lambda file: _set_format(file, 99),
    ],
    ids=["text", "empty", "missing", "header", "newer"],
)
def test_an_index_that_cannot_be_read_is_built_again(tmp_path, spoil):
    churn(tmp_path)
    index = index_of(tmp_path)
    index.refresh()
    for ending in ("-wal", "-shm"):
        Path(f"{tmp_path / FILE}{ending}").unlink(missing_ok=True)
    spoil(tmp_path / FILE)
    assert list(runs(index)) == ["261130-080000-aaaa"]


def _set_format(file: Path, number: int) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"pragma user_version = {number}")


def test_a_run_whose_events_cannot_be_read_is_known_and_nothing_of_it(tmp_path):
    churn(tmp_path, "261130-080000-aaaa")
    for number, content in enumerate((b"not a database", b"", None)):
        folder = tmp_path / "runs" / f"261130-08000{number}-bbbb"
        folder.mkdir()
        if content is not None:
            (folder / "events.db").write_bytes(content)
    odd = write_run(tmp_path, "261130-090000-cccc")
    log = EventLog(odd)
    log.append([("state", "", {"state": "SUCCEEDED"}), ("inputs", "load", {"values": 3})])
    log.append([("task", "load", {"name": "load"}), ("inputs", "load", {"values": {"x": {"$artifact": 7}}})])
    log.append([("state", "load", {"state": "RUNNING"})])
    log.close()
    found = runs(index_of(tmp_path))
    assert found.pop("261130-080000-aaaa") == "SUCCEEDED"
    assert set(found.values()) == {"UNKNOWN"}
    assert len(found) == 4


def test_the_index_can_only_be_read_by_its_user(tmp_path):
    churn(tmp_path)
    index_of(tmp_path).refresh()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_an_index_that_another_process_writes_is_waited_for_and_then_refused(tmp_path, monkeypatch):
    churn(tmp_path)
    index = index_of(tmp_path)
    index.refresh()
    churn(tmp_path, "261130-080000-bbbb")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(BackendUnavailable, match="locked by another process"):
            Index(tmp_path, [RunRecords(tmp_path)], timeout=0.2).refresh()
        other.execute("rollback")
    assert index.refresh() == 1


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    churn(tmp_path)
    (tmp_path / "catalog").write_text("a file where the folder belongs")
    with pytest.raises(BackendError, match=r"index\.db cannot be used"):
        index_of(tmp_path).refresh()


def test_rebuilding_reads_everything_again(tmp_path):
    for number in range(5):
        churn(tmp_path, f"261130-08000{number}-aaaa")
    records = Records(one=ArtifactRecord("churn", digest=digest("model"), names=("churn@1",)))
    index = index_of(tmp_path, records)
    index.refresh()
    before = rows(index)
    assert index.rebuild() == 6
    assert rows(index) == before
    assert records.read_units == ["one", "one"]


def test_a_version_that_has_changed_replaces_what_was_known_of_it(tmp_path):
    record = ArtifactRecord("churn", digest=digest("model"), names=("churn@1",))
    records = Records(one=record)
    index = index_of(tmp_path, records)
    index.refresh()
    records.units["one"] = ArtifactRecord(
        "churn", digest=digest("model"), names=("churn@1", "churn@champion")
    )
    records.stamp["one"] = "2"
    with index.reading() as connection:
        names = connection.execute("select name from names order by name").fetchall()
    assert names == [("churn@1",), ("churn@champion",)]


def test_several_processes_and_threads_refresh_at_once(tmp_path):
    for number in range(40):
        churn(tmp_path, f"261130-0800{number:02}-aaaa", model=f"model {number}")
    threads = [threading.Thread(target=index_of(tmp_path).refresh) for _ in range(4)]
    others = [subprocess.Popen([sys.executable, "-c", REFRESH, str(tmp_path)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    index = index_of(tmp_path)
    before = rows(index)
    assert len(runs(index)) == 40
    index.rebuild()
    assert rows(index) == before


REFRESH = """
import sys
from pathlib import Path
from kfnb.catalog.index import Index
from kfnb.resources.runs.local.traces import RunRecords
index = Index(Path(sys.argv[1]), [RunRecords(Path(sys.argv[1]))])
index.refresh()
"""


def test_a_process_that_is_killed_while_it_refreshes_leaves_a_whole_index(tmp_path):
    for number in range(60):
        churn(tmp_path, f"261130-08{number:02}00-aaaa", model=f"model {number}")
    small = REFRESH.replace("index = ", "import kfnb.catalog.index as module\nmodule.BATCH = 3\nindex = ")
    endless = small.replace(
        "index.refresh()", "print(flush=True)\nwhile True: index.rebuild(), index.refresh()"
    )
    for tenths in (0, 1, 3):
        (tmp_path / FILE).unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", endless, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(tenths / 10)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        index = index_of(tmp_path)
        assert len(runs(index)) == 60
        kept = rows(index)
        index.rebuild()
        assert rows(index) == kept


def test_what_a_newer_kfnb_wrote_into_a_run_is_left_out(tmp_path):
    folder = tmp_path / "runs" / "261130-080000-aaaa"
    folder.mkdir(parents=True)
    log = EventLog(folder, create=True)
    events = facts(Step("load", makes={"df": "df"}))
    log.append(
        [("prophesied", "load", {"anything": 1}), *events, ("state", "load", {"state": "TRANSCENDED"})]
    )
    log.close()
    index = index_of(tmp_path)
    with index.reading() as connection:
        assert connection.execute("select name, state from executions").fetchall() == [("load", "SUCCEEDED")]
        assert connection.execute("select digest from artifacts").fetchall() == [(digest("df"),)]


def test_nobody_is_locked_out_while_records_are_read(tmp_path):
    class Slow(Records):
        def read(self, units):
            with Database(tmp_path / FILE, SCHEMA, timeout=0.2).writing() as connection:
                connection.execute("delete from names")
            yield from super().read(units)

    record = ArtifactRecord("churn", digest=digest("model"), names=("churn@1",))
    index = index_of(tmp_path, Slow(one=record))
    assert index.refresh() == 1
    assert index.rebuild() == 1


def test_a_rebuild_clears_nothing_if_records_cannot_be_listed(tmp_path):
    records = Records(one=ArtifactRecord("churn", digest=digest("model"), names=("churn@1",)))
    index = index_of(tmp_path, records)
    index.refresh()

    def refuse(known):
        raise BackendError("the store does not answer")

    records.stamps = refuse
    with pytest.raises(BackendError, match="does not answer"):
        index.rebuild()
    assert rows(index)


def test_an_index_of_an_earlier_format_is_read_again(tmp_path):
    from kfnb.catalog import schema
    from kfnb.catalog.database import Database, Schema

    old = Schema("the index of lineage", {1: schema.SCHEMA.migrations[1]})
    with Database(tmp_path / FILE, old).writing() as connection:
        connection.execute("insert into units values (1, 'runs', '261130-080000-aaaa', 'x', 1, 1, 1, 1)")
        connection.execute("insert into derived values (1, 'churn-data@1')")
    churn(tmp_path)
    assert list(runs(index_of(tmp_path))) == ["261130-080000-aaaa"]
