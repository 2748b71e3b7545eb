"""A data store: numbered versions, each of which is its content, whatever interrupts a writer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kfnb.errors import BackendError, NotFound, UsageError
from kfnb.resources.datasets.adding import Adding
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry
from kfnb.resources.datasets.objects import FolderObjects, Objects, content_key
from kfnb.resources.datasets.record import decoded, encoded
from kfnb.resources.datasets.store import DataStore, check_name

By = dict[str, Any]


def text(tmp_path: Path, content: str, name: str = "file.txt") -> Path:
    file = tmp_path / name
    file.write_text(content)
    return file


def test_versions_are_numbered_from_one(adding: Adding, store: DataStore, tmp_path: Path, by: By) -> None:
    first, new = adding.path("notes", text(tmp_path, "one"), **by)
    assert (first.ref, new) == ("notes@1", True)
    assert adding.path("notes", text(tmp_path, "two"), **by)[0].ref == "notes@2"
    assert [one.ref for one in store.versions("notes")] == ["notes@2", "notes@1"]
    assert store.get("notes") == store.get("notes", 2)


def test_the_same_content_is_the_same_version(
    adding: Adding, store: DataStore, tmp_path: Path, by: By
) -> None:
    adding.path("notes", text(tmp_path, "one"), **by)
    adding.path("notes", text(tmp_path, "two"), **by)
    again, new = adding.path("notes", text(tmp_path, "one", "other.txt"), **by)
    assert (again.ref, new) == ("notes@1", False)
    assert store.numbers("notes") == [1, 2]


def test_a_folder_is_its_files_and_their_paths(
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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


def test_a_folder_with_one_table_is_not_that_table(adding: Adding, tmp_path: Path, by: By) -> None:
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
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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
        mine = Adding(DataStore(new_objects()), tmp_path / "home", FileDigests(tmp_path / "digests.db"))
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
        mine = Adding(DataStore(new_objects()), tmp_path / "home", FileDigests(tmp_path / "digests.db"))
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
    adding: Adding, store: DataStore, tmp_path: Path, by: By
):
    adding.path("churn-data", text(tmp_path, "one"), **by)
    with pytest.raises(NotFound, match=r"unknown data set chrun-data; did you mean churn-data\?"):
        store.get("chrun-data")
    with pytest.raises(NotFound, match="unknown version churn-data@3; churn-data has version 1"):
        store.get("churn-data", 3)


def test_a_record_comes_back_as_it_was(adding: Adding, new_objects: Callable[[], Objects], by: By) -> None:
    frame = pd.DataFrame(
        {"x": [1.5, None, 3.0], "t": pd.to_datetime(["2020", None, "2021"]), "s": ["a", "a", None]}
    )
    added, _ = adding.value("frame", frame, what="frame", **{**by, "source": {"cell": "[3]"}})
    assert DataStore(new_objects()).get("frame", 1) == added


def test_a_folder_that_was_removed_is_empty(tmp_path: Path, by: By) -> None:
    store = DataStore(FolderObjects(tmp_path / "store"))
    adding = Adding(store, tmp_path / "home", FileDigests(tmp_path / "digests.db"))
    adding.path("notes", text(tmp_path, "one"), **by)
    shutil.rmtree(tmp_path / "store")
    assert store.names() == []
    again, new = adding.path("notes", text(tmp_path, "two"), **by)
    assert (again.ref, new) == ("notes@1", True)
    assert store.get("notes").digest == again.digest
    assert store.verify([again]).damages == ()


# -- damage ---------------------------------------------------------------------------------------------------------


def test_changed_and_missing_bytes_are_named(
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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
    adding = Adding(store, tmp_path / "home", FileDigests(tmp_path / "digests.db"))
    frame = pd.DataFrame({"x": [1]})
    added, _ = adding.value("frame", frame, what="frame", **by)
    overwrite(store.objects, content_key(added.files[0].sha256), b"changed")
    assert adding.value("frame", frame, what="frame", **by) == (added, False)
    assert adding.value("other", frame, what="frame", **by)[1]
    assert store.verify().damages == ()


def test_a_damaged_record_spoils_no_list(adding: Adding, store: DataStore, tmp_path: Path, by: By) -> None:
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
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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
    adding: Adding, store: DataStore, tmp_path: Path, by: By
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
from kfnb.resources.datasets.adding import Adding
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import FolderObjects
from kfnb.resources.datasets.store import DataStore
top = Path(sys.argv[1])
adding = Adding(DataStore(FolderObjects(top / "store")), top / "home", FileDigests(top / "digests.db"))
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
from kfnb.resources.datasets.adding import Adding
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import FolderObjects
from kfnb.resources.datasets.store import DataStore
top = Path(sys.argv[1])
adding = Adding(DataStore(FolderObjects(top / "store")), top / "home", FileDigests(top / "digests.db"))
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
