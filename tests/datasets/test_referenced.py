"""Objects that are in a bucket already: registered by what the store says of them, and not copied."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

import kfnb
from kfnb import settings
from kfnb.commands.display import bundle
from kfnb.errors import BackendError, UsageError
from kfnb.remote.objects import ObjectAddress
from kfnb.resources.components.api import spec_of
from kfnb.resources.datasets.addresses import address_in, object_store
from kfnb.resources.datasets.api import verify, with_data
from kfnb.resources.datasets.location import data_store
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry
from kfnb.resources.datasets.record import encoded
from tests.conftest import Shell

_counter = itertools.count()


@pytest.fixture
def put(shell: Shell, s3: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], str]:
    """Writes an object below a folder of the bucket; returns its address."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    folder = f"s3://bucket/there-{next(_counter)}"

    def write(name: str, data: bytes) -> str:
        uri = f"{folder}/{name}?endpoint={s3}&region=us-east-1"
        address, _, store = object_store(uri)
        store.write(address.path, data)
        return uri

    return write


def test_an_object_is_registered_and_not_copied(put: Callable[[str, bytes], str], tmp_path: Path) -> None:
    uri = put("f.csv", b"a,b\n1,2\n")
    version = kfnb.add_data("there", uri)
    assert (version.kind, version.size, version.snapshot().by_reference) == ("file", 8, True)
    assert not (tmp_path / "kfnb-home" / "data" / "objects").exists()
    assert version.load().name == "f.csv"
    assert version.load().read_bytes() == b"a,b\n1,2\n"
    assert kfnb.add_data("there", uri).version == 1
    assert "by reference" in bundle(version)["text/plain"]


def test_a_folder_of_objects_is_known_by_its_files(put: Callable[[str, bytes], str], tmp_path: Path) -> None:
    file = tmp_path / "part.parquet"
    for name, values in (("a.parquet", [1, 2]), ("sub/b.parquet", [3])):
        pd.DataFrame({"x": values}).to_parquet(file)
        uri = put(name, file.read_bytes())
    version = kfnb.add_data("there", uri.replace("/sub/b.parquet", ""))
    assert [one.path for one in version.snapshot().files] == ["a.parquet", "sub/b.parquet"]
    assert (version.rows, version.schema) == (3, {"x": "int64"})
    path = version.load()
    assert sorted(one.name for one in path.rglob("*.parquet")) == ["a.parquet", "b.parquet"]


def test_an_object_that_was_changed_is_noticed(put: Callable[[str, bytes], str]) -> None:
    version = kfnb.add_data("there", put("f.txt", b"one"))
    assert verify(version).damages == ()
    uri = put("f.txt", b"two")
    assert [one.problem for one in verify(version).damages] == ["changed"]
    with pytest.raises(BackendError, match=r"there@1: the content of f\.txt was changed in its bucket"):
        version.load()
    second = kfnb.add_data("there", uri)
    assert second.version == 2
    address, _, store = object_store(uri)
    store.delete(address.path)
    assert [one.problem for one in verify(second).damages] == ["missing"]


def test_pods_read_the_object_itself(put: Callable[[str, bytes], str], shell: Shell) -> None:
    uri = put("f.txt", b"hello")
    kfnb.add_data("there", uri)
    shell.run("%%kf_component read --data notes=there@1 --output n\nn = len(notes.read_text())")
    shell.run("%kf_pipeline p read")
    assert shell.submit("p").result == {"n": 5}
    spec = with_data(spec_of("p").spec, {}, local=False)
    assert uri.partition("?")[0] in json.dumps(spec)
    put("f.txt", b"other")
    with pytest.raises(BackendError, match="was changed in its bucket"):
        with_data(spec_of("p").spec, {}, local=False)


def test_nothing_there_is_named(put: Callable[[str, bytes], str], shell: Shell) -> None:
    uri = put("f.txt", b"hello").replace("f.txt", "g.txt")
    with pytest.raises(UsageError, match="no object is at"):
        kfnb.add_data("there", uri)
    assert "f.csv is not the address of an object store" in shell.fails(
        "%kf_data add web https://example.com/f.csv"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a b/c%20d.csv?endpoint=https://minio:9000&region=us-east-1",
        "minio://bucket/c.csv",
        "gs://bucket/folder/c?d.csv",
        "az://container/folder/c.csv",
        "abfss://container@account.dfs.core.windows.net/folder/c?d.csv",
    ],
)
def test_the_address_of_an_object_comes_back_with_all_of_its_parts(uri: str) -> None:
    address = ObjectAddress.parse(uri)
    assert address_in(uri, address.path) == uri
    bucket = uri.replace(address.key, "").replace("/?", "?")
    assert ObjectAddress.parse(address_in(bucket, address.path)) == address


def test_an_address_that_would_lead_elsewhere_is_refused(put: Callable[[str, bytes], str], s3: str) -> None:
    with pytest.raises(UsageError, match="its key has a question mark"):
        address_in("s3://bucket/folder", "bucket/folder/a?b.csv")
    with pytest.raises(UsageError, match="only an address of s3:// has an endpoint"):
        kfnb.add_data("there", f"gs://bucket/x?endpoint={s3}")


def test_a_version_by_reference_says_where_it_is(put: Callable[[str, bytes], str]) -> None:
    uri = put("f.csv", b"a,b")
    assert kfnb.add_data("file", uri).uri == uri.partition("?")[0]
    put("g.csv", b"c,d")
    folder = kfnb.add_data("folder", uri.replace("/f.csv", ""))
    assert folder.uri == uri.partition("/f.csv")[0]
    alone = put("alone/h.csv", b"e")
    single = kfnb.add_data("single", alone.replace("/h.csv", ""))
    assert (single.kind, single.uri) == ("folder", alone.partition("/h.csv")[0])


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server of somebody else, and what it was sent."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    with connection:
                        received.append(connection.recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", received
        over.set()
        thread.join()


def test_a_shared_record_does_not_decide_where_credentials_are_sent(
    put: Callable[[str, bytes], str],
    s3: str,
    elsewhere: tuple[str, list[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, received = elsewhere
    uri = put("f.txt", b"hello")
    monkeypatch.setenv("KFNB_DATA_STORE", str(tmp_path / "shared"))
    settings.reset()
    entry = FileEntry("f.txt", 5, "", uri=uri.replace(s3, address), tag="x", version="")
    record = DatasetSnapshot("there", 1, "0" * 64, "file", files=(entry,), size=5)
    data_store().objects.create("versions/there/000001.json", encoded(record))
    version = kfnb.dataset("there")
    for use in (version.load, version.publish, lambda: verify(version)):
        with pytest.raises(BackendError, match=f"{address}, to which no credentials are sent"):
            use()
    with pytest.raises(BackendError, match=f"set AWS_ENDPOINT_URL={s3} if you trust it"):
        kfnb.add_data("mine", uri)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    assert kfnb.add_data("mine", uri).load().read_bytes() == b"hello"
    assert received == []


def test_the_endpoint_of_the_store_is_that_of_its_records(
    put: Callable[[str, bytes], str], s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = put("f.txt", b"hello")
    root = f"s3://bucket/store-{next(_counter)}?endpoint={s3}&region=us-east-1"
    with monkeypatch.context() as environment:
        environment.setenv("KFNB_DATA_STORE", root)
        settings.reset()
        assert kfnb.add_data("mine", uri).load().read_bytes() == b"hello"
    settings.reset()
