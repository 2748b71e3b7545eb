"""A data store: numbered versions, each of which is its content, whatever interrupts a writer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kfnb.errors import BackendError, NotFound, UsageError
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.datasets.checkout import check_out, left_over
from kfnb.resources.datasets.digests import ContentDigests, FileDigests
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry
from kfnb.resources.datasets.objects import BucketObjects, FolderObjects, Objects, content_key
from kfnb.resources.datasets.record import decoded, encoded
from kfnb.resources.datasets.store import DataStore, check_name
from kfnb.resources.datasets.version_writer import VersionWriter, _draft_folder, left_behind

By = dict[str, Any]


def text(tmp_path: Path, content: str, name: str = "file.txt") -> Path:
    file = tmp_path / name
    file.write_text(content)
    return file


def test_versions_are_numbered_from_one(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    first, new = adding.path("notes", text(tmp_path, "one"), **by)
    assert (first.ref, new) == ("notes@1", True)
    assert adding.path("notes", text(tmp_path, "two"), **by)[0].ref == "notes@2"
    assert [one.ref for one in store.versions("notes")] == ["notes@2", "notes@1"]
    assert store.get("notes") == store.get("notes", 2)


def test_the_same_content_is_the_same_version(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    adding.path("notes", text(tmp_path, "one"), **by)
    adding.path("notes", text(tmp_path, "two"), **by)
    again, new = adding.path("notes", text(tmp_path, "one", "other.txt"), **by)
    assert (again.ref, new) == ("notes@1", False)
    assert store.numbers("notes") == [1, 2]


def test_a_folder_is_its_files_and_their_paths(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "sub" / "b").write_text("b")
    first, _ = adding.path("pictures", folder, **by)
    assert [file.path for file in first.files] == ["a", "sub/b"]
    (folder / "sub" / "b").rename(folder / "b")
    second, new = adding.path("pictures", folder, **by)
    assert new
    assert len(list(store.objects.entries("objects/"))) == 2  # both versions share both contents
    assert {one.sha256 for one in first.files} == {one.sha256 for one in second.files}


def test_a_folder_with_one_file_is_known_by_its_path_too(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "cat.png").write_bytes(b"picture")
    adding.path("pictures", folder, **by)
    (folder / "cat.png").rename(folder / "dog.png")
    second, new = adding.path("pictures", folder, **by)
    assert (second.ref, new, second.files[0].path) == ("pictures@2", True, "dog.png")
    alone, new = adding.path("pictures", folder / "dog.png", **by)
    assert (alone.ref, alone.kind, new) == ("pictures@3", "file", True)


def test_a_folder_with_one_table_is_not_that_table(adding: VersionWriter, tmp_path: Path, by: By) -> None:
    frame = pd.DataFrame({"x": [1, 2]})
    adding.value("d", frame, what="frame", **by)
    folder = tmp_path / "tables"
    folder.mkdir()
    frame.to_parquet(folder / "part.parquet")
    found, new = adding.path("d", folder, **by)
    assert (found.ref, found.kind, found.logical, new) == ("d@2", "folder", "", True)
    assert (found.rows, found.columns[0].name) == (2, "x")
    assert adding.path("d", folder / "part.parquet", **by)[0].ref == "d@1"


def test_a_folder_with_one_file_that_an_older_kfnb_recorded_opens_and_is_not_that_file(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    file, _ = adding.path("pictures", text(tmp_path, "cat"), **by)
    old = replace(file, version=2, kind="folder")  # whose digest did not include the path
    store.objects.create("versions/pictures/000002.json", encoded(old))
    assert store.get("pictures", 2) == old
    assert store.verify().damages == ()
    assert adding.path("pictures", tmp_path / "file.txt", **by) == (file, False)


def test_two_writers_at_once_get_two_versions(
    new_objects: Callable[[], Objects], tmp_path: Path, by: By
) -> None:
    start = threading.Barrier(6)

    def add(number: int) -> int:
        mine = VersionWriter(
            DataStore(new_objects()), tmp_path / "home", FileDigests(tmp_path / "digests.db")
        )
        file = text(tmp_path, f"content {number}", f"file{number}")
        start.wait()
        return adding_version(mine.path("notes", file, **by))

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(add, range(6))) == [1, 2, 3, 4, 5, 6]


def adding_version(added: tuple[DatasetSnapshot, bool]) -> int:
    return added[0].version


def test_two_writers_of_the_same_content_get_one_version(
    new_objects: Callable[[], Objects], tmp_path: Path, by: By
) -> None:
    file = text(tmp_path, "the same")
    start = threading.Barrier(6)

    def add(_: int) -> bool:
        mine = VersionWriter(
            DataStore(new_objects()), tmp_path / "home", FileDigests(tmp_path / "digests.db")
        )
        start.wait()
        return mine.path("notes", file, **by)[1]

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(add, range(6))) == 1
    assert DataStore(new_objects()).numbers("notes") == [1]


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "-a", "a" * 64, "a b", "ä", "a@1"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="invalid name of a data set"):
        check_name(name)


def test_what_is_unknown_is_named_with_what_is_similar(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
):
    adding.path("churn-data", text(tmp_path, "one"), **by)
    with pytest.raises(NotFound, match=r"unknown data set chrun-data; did you mean churn-data\?"):
        store.get("chrun-data")
    with pytest.raises(NotFound, match="unknown version churn-data@3; churn-data has version 1"):
        store.get("churn-data", 3)


def test_a_record_comes_back_as_it_was(
    adding: VersionWriter, new_objects: Callable[[], Objects], by: By
) -> None:
    frame = pd.DataFrame(
        {"x": [1.5, None, 3.0], "t": pd.to_datetime(["2020", None, "2021"]), "s": ["a", "a", None]}
    )
    added, _ = adding.value("frame", frame, what="frame", **{**by, "source": {"cell": "[3]"}})
    assert DataStore(new_objects()).get("frame", 1) == added


def test_a_folder_that_was_removed_is_empty(tmp_path: Path, by: By) -> None:
    store = DataStore(FolderObjects(tmp_path / "store"))
    adding = VersionWriter(store, tmp_path / "home", FileDigests(tmp_path / "digests.db"))
    adding.path("notes", text(tmp_path, "one"), **by)
    shutil.rmtree(tmp_path / "store")
    assert store.names() == []
    again, new = adding.path("notes", text(tmp_path, "two"), **by)
    assert (again.ref, new) == ("notes@1", True)
    assert store.get("notes").digest == again.digest
    assert store.verify([again]).damages == ()


# -- damage ---------------------------------------------------------------------------------------------------------


def test_changed_and_missing_bytes_are_named(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    one, _ = adding.path("one", text(tmp_path, "one"), **by)
    two, _ = adding.path("two", text(tmp_path, "two"), **by)
    adding.path("three", text(tmp_path, "three"), **by)
    assert store.verify(store.versions()).damages == ()
    store.objects.delete(content_key(one.files[0].sha256))
    overwrite(store.objects, content_key(two.files[0].sha256), b"TWO")
    found = {(damage.ref, damage.problem) for damage in store.verify(store.versions()).damages}
    assert found == {("one@1", "missing"), ("two@1", "changed")}


def overwrite(objects: Objects, key: str, data: bytes) -> None:
    file = objects.local(key)
    if file is not None:
        file.chmod(0o600)
        file.write_bytes(data)
    else:
        objects.store.write(objects._path(key), data)  # type: ignore[attr-defined]


def test_content_that_was_changed_or_is_missing_is_repaired_when_it_is_added_again(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    file = text(tmp_path, "one")
    os.utime(file, (1, 1))
    added, _ = adding.path("notes", file, **by)
    key = content_key(added.files[0].sha256)
    # of a bucket only the size is looked at: its content would have to be downloaded
    overwrite(store.objects, key, b"longer" if store.objects.local(key) is None else b"ONE")
    for _ in range(2):
        assert adding.path("notes", file, **by) == (added, False)
        assert store.verify().damages == ()
        store.objects.delete(key)


def test_a_value_that_was_changed_is_repaired_when_it_is_added_again(tmp_path: Path, by: By) -> None:
    store = DataStore(FolderObjects(tmp_path / "store"))
    adding = VersionWriter(store, tmp_path / "home", FileDigests(tmp_path / "digests.db"))
    frame = pd.DataFrame({"x": [1]})
    added, _ = adding.value("frame", frame, what="frame", **by)
    overwrite(store.objects, content_key(added.files[0].sha256), b"changed")
    assert adding.value("frame", frame, what="frame", **by) == (added, False)
    assert adding.value("other", frame, what="frame", **by)[1]
    assert store.verify().damages == ()


def test_a_damaged_record_spoils_no_list(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    adding.path("notes", text(tmp_path, "one"), **by)
    store.objects.create("versions/notes/000002.json", b"{ not json")
    assert [one.ref for one in store.versions("notes")] == ["notes@1"]
    found, damaged = store.readable(newest=True)
    assert (found, [one.ref for one in damaged]) == ([], ["notes@2"])
    assert [(one.ref, one.path, one.problem) for one in store.verify().damages] == [
        ("notes@2", "versions/notes/000002.json", "unreadable record")
    ]
    with pytest.raises(BackendError, match=r"record versions/notes/000002.json of the data store is damaged"):
        store.get("notes", 2)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "", "a\\b", "a\0b"])
def test_a_record_that_leads_out_of_its_folder_is_refused(path: str) -> None:
    made = DatasetSnapshot("a", 1, "d", "folder", files=(FileEntry(path, 1, "0" * 64),))
    with pytest.raises(BackendError, match="damaged"):
        decoded(encoded(made), "here")


def test_a_record_of_a_newer_kfnb_is_read_as_far_as_it_is_known() -> None:
    made = DatasetSnapshot("a", 1, "d", "file", files=(FileEntry("x", 1, "0" * 64),))
    newer = json.loads(encoded(made)) | {"format": 2, "invented": 1}
    newer["files"][0]["more"] = 2
    assert decoded(json.dumps(newer).encode(), "here") == made


# -- what is not used -----------------------------------------------------------------------------------------------


def test_only_old_content_that_no_version_refers_to_is_removed(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    kept, _ = adding.path("notes", text(tmp_path, "one"), **by)
    store.objects.put_content(text(tmp_path, "left by a killed writer"))
    assert store.unused() == []  # its writer may be about to refer to it
    found = store.unused(grace=-60)
    assert [one.size for one in found] == [23]
    assert store.remove(found) == 23
    assert store.unused(grace=-60) == []
    assert store.objects.find(content_key(kept.files[0].sha256)) is not None


def test_content_that_is_referred_to_by_now_is_not_removed(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    store.objects.put_content(text(tmp_path, "one"))
    found = store.unused(grace=-60)
    adding.path("notes", text(tmp_path, "one"), **by)
    assert store.remove(found) == 0


def test_nothing_is_removed_where_a_record_cannot_be_read(store: DataStore, tmp_path: Path) -> None:
    store.objects.put_content(text(tmp_path, "one"))
    store.objects.create("versions/notes/000001.json", b"{ not json")
    with pytest.raises(BackendError, match="damaged"):
        store.unused(grace=-60)


def test_drafts_of_killed_writers_are_removed(tmp_path: Path) -> None:
    store = DataStore(FolderObjects(tmp_path / "store"))
    draft = tmp_path / "store" / "drafts" / "1-dead"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"12345")
    os.utime(draft, (time.time() - 7200,) * 2)
    assert store.remove(store.unused()) == 5
    assert not draft.exists()


_FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np, pandas as pd
from kfnb.errors import BackendError
from kfnb.resources.datasets.version_writer import VersionWriter
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import FolderObjects
from kfnb.resources.datasets.store import DataStore
top = Path(sys.argv[1])
adding = VersionWriter(DataStore(FolderObjects(top / "store")), top / "home", FileDigests(top / "digests.db"))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
random = np.random.default_rng(0).random(100_000)
for value in (random, pd.DataFrame({"x": random})):
    try:
        adding.value("big", value, what="value", owner="ann", description="", source={})
    except BackendError as error:
        print(error)
print(adding._store.names(), [one for one in (top / "home").rglob("*") if one.name != "data-drafts"])
"""


def test_a_value_that_does_not_fit_on_the_disk_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], check=True, capture_output=True, text=True
    )
    first, second, last = done.stdout.strip().splitlines()
    assert "nothing was added" in first
    assert "nothing was added" in second
    assert last == "[] []"


_WRITER = """
import os, sys, signal, threading
from pathlib import Path
from kfnb.resources.datasets.version_writer import VersionWriter
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import FolderObjects
from kfnb.resources.datasets.store import DataStore
top = Path(sys.argv[1])
adding = VersionWriter(DataStore(FolderObjects(top / "store")), top / "home", FileDigests(top / "digests.db"))
(top / "folder").mkdir(exist_ok=True)
threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
for number in range(100_000):
    (top / "folder" / str(number % 5)).write_bytes(os.urandom(200_000))
    adding.path("data", top / "folder", owner="ann", description="", source={})
"""


def test_killed_at_any_moment_every_version_is_whole(tmp_path: Path) -> None:
    for turn in range(4):
        words = [sys.executable, "-c", _WRITER, str(tmp_path), str(0.1 + 0.07 * turn)]
        assert subprocess.run(words, check=False).returncode == -9
    store = DataStore(FolderObjects(tmp_path / "store"))
    versions = store.versions()
    assert [one.version for one in versions] == list(range(len(versions), 0, -1))
    assert len(versions) == len(store.numbers("data"))
    assert store.verify(versions).damages == ()


_BUCKET_WRITER = """
import os, sys, signal, threading
from pathlib import Path
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.datasets.version_writer import VersionWriter
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import BucketObjects
from kfnb.resources.datasets.store import DataStore
top = Path(sys.argv[1])
access = StoreAccess("s3", endpoint=sys.argv[3], region="us-east-1", keys=AccessKeys("key", "secret"))
store = DataStore(BucketObjects(sys.argv[4], ObjectStore(access)))
adding = VersionWriter(store, top / "home", FileDigests(top / "digests.db"))
(top / "folder").mkdir(exist_ok=True)
for number in range(100_000):  # more than one part of an upload
    (top / "folder" / str(number % 3)).write_bytes(os.urandom(6_000_000))
    adding.path("data", top / "folder", owner="ann", description="", source={})
    if not number:
        threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
"""


@pytest.mark.slow
def test_killed_at_any_moment_every_version_in_a_bucket_is_whole(tmp_path: Path, s3: str) -> None:
    root = "s3://bucket/killed"
    for turn in range(3):
        words = [sys.executable, "-c", _BUCKET_WRITER, str(tmp_path), str(0.4 + 0.3 * turn), s3, root]
        assert subprocess.run(words, check=False).returncode == -9
    access = StoreAccess("s3", endpoint=s3, region="us-east-1", keys=AccessKeys("key", "secret"))
    store = DataStore(BucketObjects(root, ObjectStore(access)))
    versions = store.versions()
    assert versions
    assert [one.version for one in versions] == list(range(len(versions), 0, -1))
    assert store.verify(versions).damages == ()


# -- beside other writers -------------------------------------------------------------------------------------------


def age(objects: Objects, key: str, monkeypatch: pytest.MonkeyPatch, seconds: float = 7200) -> None:
    """Make content older; of a bucket, the clock goes forward instead."""
    file = objects.local(key)
    if file is not None:
        os.utime(file, (time.time() - seconds,) * 2)
    else:
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + seconds)


def test_what_a_writer_takes_up_while_others_are_removed_is_kept(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in ("one", "two"):
        digest, _ = store.objects.put_content(text(tmp_path, content))
        age(store.objects, content_key(digest), monkeypatch)
        monkeypatch.undo()
    age(store.objects, content_key(digest), monkeypatch)
    found = store.unused()
    assert len(found) == 2
    plain, added = store.used, []

    def used() -> set[str]:
        before = plain()  # and then a writer adds what is about to be removed
        if not added:
            added.append(adding.path("notes", text(tmp_path, "one"), **by)[0])
        return before

    time.sleep(0 if store.objects.local("x") else 2.1)  # a bucket's times are whole seconds
    monkeypatch.setattr(store, "used", used)
    assert store.remove(found) == 3
    assert added[0].ref == "notes@1"
    assert store.verify().damages == ()
    assert len(list(store.objects.entries("objects/"))) == 1


def test_content_that_a_version_refers_to_is_not_written_again_however_old_it_is(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = adding.path("notes", text(tmp_path, "one"), **by)
    key = content_key(first.files[0].sha256)
    age(store.objects, key, monkeypatch)
    before = store.objects.find(key)
    adding.path("copy", text(tmp_path, "one"), **by)
    after = store.objects.find(key)
    assert before is not None
    assert after is not None
    if store.objects.local(key) is None:
        assert after == before
    else:
        assert after.changed > before.changed  # marked as used


def test_the_draft_of_a_value_is_not_left_behind_as_long_as_its_process_has_it(tmp_path: Path) -> None:
    with _draft_folder(tmp_path) as folder:
        os.utime(folder, (1, 1))
        assert left_behind(tmp_path) == []
    abandoned = tmp_path / "data-drafts" / "tmp1"
    abandoned.mkdir()
    os.utime(abandoned, (1, 1))
    assert left_behind(tmp_path) == [abandoned]


def test_a_folder_that_is_added_again_is_neither_read_nor_is_the_store(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(3):
        file = text(folder, f"{number}", f"{number}")
        os.utime(file, (1, 1))
    from kfnb.resources.datasets import digests
    from kfnb.resources.datasets.objects import base

    monkeypatch.setattr(digests, "_SETTLED", 0)  # the files may be as new as this test
    first, _ = adding.path("pictures", folder, **by)
    check_out(store.objects, first, tmp_path / "out", ContentDigests(tmp_path / "home" / "digests.db"))
    text(folder, "new", "3")
    read: list[Path] = []

    def pieces(file: Path) -> Iterator[bytes]:
        read.append(file)
        return base.pieces(file)

    monkeypatch.setattr(digests, "pieces", pieces)
    second, new = adding.path("pictures", folder, **by)
    assert (second.ref, new, read) == ("pictures@2", True, [])


def test_a_version_more_reads_no_record_of_the_others(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        adding.path("notes", text(tmp_path, f"{number}"), **by)
    again = VersionWriter(DataStore(store.objects), tmp_path / "home", FileDigests(tmp_path / "digests.db"))
    read: list[str] = []
    plain = store.objects.read
    monkeypatch.setattr(store.objects, "read", lambda key: read.append(key) or plain(key))
    assert again.path("notes", text(tmp_path, "new"), **by)[0].ref == "notes@7"
    assert again.path("notes", text(tmp_path, "2"), **by)[0].ref == "notes@3"
    assert set(read) <= {"versions/notes/000007.json", "versions/notes/000003.json"}


def test_a_store_without_the_marks_of_identities_finds_the_same_versions(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    for number in range(3):
        adding.path("notes", text(tmp_path, f"{number}"), **by)
    for one in list(store.objects.entries("identities/")):
        store.objects.delete(one.key)
    again = VersionWriter(DataStore(store.objects), tmp_path / "home", FileDigests(tmp_path / "digests.db"))
    assert again.path("notes", text(tmp_path, "1"), **by)[0].ref == "notes@2"
    assert len(list(store.objects.entries("identities/"))) == 2  # the ones that were looked at


def test_a_mark_of_another_content_is_not_believed(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    first, _ = adding.path("notes", text(tmp_path, "one"), **by)
    store.objects.create(f"identities/notes/000001-{'0' * 64}", b"")
    assert store.same("notes", "0" * 64, "file") is None
    assert store.same("notes", first.identity, "file") == first


def test_copies_by_name_of_versions_that_no_longer_exist_are_removed(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    kept, _ = adding.path("notes", text(tmp_path, "one"), **by)
    store.objects.create(f"files/{kept.digest}/file.txt", b"one")
    store.objects.create(f"files/{'0' * 64}/file.txt", b"gone")
    found = store.unused(grace=-60)
    assert [one.key for one in found] == [f"files/{'0' * 64}/file.txt"]
    assert store.remove(found) == 4


def test_files_of_versions_are_left_over_when_they_were_not_used_for_a_month(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    record, _ = adding.path("notes", text(tmp_path, "one"), **by)
    digests, folder = ContentDigests(tmp_path / "digests.db"), tmp_path / "data-files" / record.digest
    check_out(store.objects, record, folder, digests)
    os.utime(folder, (1, 1))
    assert left_over(tmp_path / "data-files") == [folder]
    check_out(store.objects, record, folder, digests)
    assert left_over(tmp_path / "data-files") == []
