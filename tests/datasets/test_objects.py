"""The objects of a data store: each is written once, at once or not at all. A folder and a bucket behave alike."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from kfnb.errors import Absent, BackendError, Conflict
from kfnb.remote.objects import store
from kfnb.resources.datasets.objects import FolderObjects, Objects, bucket, content_digest, content_key
from kfnb.resources.datasets.objects.base import verified


def test_an_object_is_written_once(objects: Objects) -> None:
    assert objects.create("versions/a/000001.json", b"first")
    assert not objects.create("versions/a/000001.json", b"second")
    assert objects.read("versions/a/000001.json") == b"first"


def test_of_many_writers_of_one_key_one_succeeds(new_objects: Callable[[], Objects]) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> bool:
        mine = new_objects()
        start.wait()
        return mine.create("versions/a/000001.json", str(number).encode())

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(write, range(8)))
    assert done.count(True) == 1
    assert new_objects().read("versions/a/000001.json") == str(done.index(True)).encode()


def test_content_is_found_by_its_digest(objects: Objects, tmp_path: Path) -> None:
    data = os.urandom(11 * 2**20)  # more than one part of an upload
    (tmp_path / "file").write_bytes(data)
    digest, size = objects.put_content(tmp_path / "file")
    assert (digest, size) == (sha256(data).hexdigest(), len(data))
    key = content_key(digest)
    assert content_digest(key) == digest
    assert b"".join(objects.stream(key)) == data
    found = objects.find(key)
    assert found is not None
    assert found.size == size
    assert found.changed > 1e9


def test_content_that_is_there_is_not_written_again(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"same")
    (tmp_path / "two").write_bytes(b"same")
    assert objects.put_content(tmp_path / "one") == objects.put_content(tmp_path / "two")
    assert len(list(objects.entries("objects/"))) == 1


def test_a_missing_object_is_told_from_a_failure(objects: Objects) -> None:
    assert objects.find("objects/sha256/aa/bb") is None
    with pytest.raises(Absent):
        objects.read("objects/sha256/aa/bb")
    with pytest.raises(Absent):
        list(objects.stream("objects/sha256/aa/bb"))
    objects.delete("objects/sha256/aa/bb")
    assert objects.names("versions/") == []


def test_names_are_those_directly_below(objects: Objects) -> None:
    for key in ("versions/a/000001.json", "versions/a/000002.json", "versions/b/000001.json"):
        objects.create(key, b"{}")
    assert sorted(objects.names("versions/")) == ["a", "b"]
    assert sorted(objects.names("versions/a/")) == ["000001.json", "000002.json"]
    assert min(one.key for one in objects.entries("versions/")) == "versions/a/000001.json"
    objects.delete("versions/b/000001.json")
    assert objects.names("versions/") == ["a"]


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    objects: Objects, tmp_path: Path, monkeypatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 12 * 2**20)
    reads = {"count": 0}
    if isinstance(objects, FolderObjects):
        # after the last byte was read, and before it is kept
        monkeypatch.setattr(os, "fsync", lambda _: file.write_bytes(b"y" * 12 * 2**20))
    else:
        original = bucket.pieces

        def changing(path: Path):
            reads["count"] += 1
            if reads["count"] == 2:
                path.write_bytes(b"y" * 12 * 2**20)
            return original(path)

        monkeypatch.setattr(bucket, "pieces", changing)
    with pytest.raises(Conflict, match="changed while it was being read"):
        objects.put_content(file)
    assert list(objects.entries("objects/")) == []


def test_pieces_are_verified_after_the_last() -> None:
    assert list(verified([b"a", b"b"], sha256(b"ab").hexdigest(), "x")) == [b"a", b"b"]
    with pytest.raises(Conflict):
        list(verified([b"a", b"c"], sha256(b"ab").hexdigest(), "x"))


def test_objects_are_copied_whatever_their_size(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(os.urandom(6 * 2**20))
    digest, _ = objects.put_content(tmp_path / "file")
    for limit, name in ((10 * 2**20, "small"), (2**20, "large")):
        monkeypatch.setattr(bucket, "_COPIED", limit)
        objects.copy(content_key(digest), f"files/x/{name}")
        assert sha256(objects.read(f"files/x/{name}")).hexdigest() == digest


@pytest.mark.parametrize("size", [0, 1, 50 * 10**9, 5 * 10**12])
def test_an_upload_of_any_size_has_fewer_parts_than_s3_allows(size: int) -> None:
    assert store._part_size(size) >= 5 * 2**20  # the least that S3 takes
    assert size / store._part_size(size) < 10_000


# -- a folder -------------------------------------------------------------------------------------------------------


def test_a_folder_is_its_users_alone(tmp_path: Path) -> None:
    store = FolderObjects(tmp_path / "new" / "store")
    store.create("versions/a/000001.json", b"{}")
    assert (tmp_path / "new" / "store").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new/store/versions/a/000001.json").stat().st_mode & 0o777 == 0o400


def test_a_folder_of_a_team_stays_the_teams(tmp_path: Path) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    folder.chmod(0o2775)
    store = FolderObjects(folder)
    store.create("versions/a/000001.json", b"{}")
    assert (folder / "versions" / "a").stat().st_mode & 0o7777 == 0o2775
    assert (folder / "versions/a/000001.json").stat().st_mode & 0o777 == 0o444


def test_a_file_system_without_hard_links_is_locked_instead(tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    store = FolderObjects(tmp_path / "store")
    assert store.create("versions/a/000001.json", b"one")
    assert not store.create("versions/a/000001.json", b"two")
    assert store.read("versions/a/000001.json") == b"one"


def test_a_store_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(BackendError, match="data store"):
        FolderObjects(tmp_path / "store").create("versions/a/000001.json", b"{}")


_KILLED = """
import os, sys, signal, threading, time
from pathlib import Path
from kfnb.remote.objects import store
from kfnb.resources.datasets.objects import FolderObjects
store = FolderObjects(Path(sys.argv[1]))
threading.Timer(float(sys.argv[3]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
for number in range(10_000):
    Path(sys.argv[2]).write_bytes(os.urandom(3_000_000))
    digest, _ = store.put_content(Path(sys.argv[2]))
    store.create(f"versions/a/{number:06}.json", digest.encode())
"""


@pytest.mark.parametrize("seconds", [0.05, 0.12, 0.3])
def test_what_a_killed_writer_leaves_is_whole(tmp_path: Path, seconds: float) -> None:
    words = [sys.executable, "-c", _KILLED, str(tmp_path / "store"), str(tmp_path / "file"), str(seconds)]
    assert subprocess.run(words, check=False, env={**os.environ}).returncode == -9
    store = FolderObjects(tmp_path / "store")
    for one in store.entries("objects/"):
        assert sha256(store.read(one.key)).hexdigest() == content_digest(one.key)
    for one in store.entries("versions/"):
        assert store.find(content_key(store.read(one.key).decode())) is not None


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from pathlib import Path
from kfnb.errors import BackendError
from kfnb.remote.objects import store
from kfnb.resources.datasets.objects import FolderObjects
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    FolderObjects(Path(sys.argv[1])).put_content(Path(sys.argv[2]))
except BackendError as error:
    print(error)
"""
    (tmp_path / "file").write_bytes(os.urandom(3_000_000))
    words = [sys.executable, "-c", program, str(tmp_path / "store"), str(tmp_path / "file")]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert "the data store" in done.stdout
    assert [one for one in (tmp_path / "store").rglob("*") if one.is_file()] == []
