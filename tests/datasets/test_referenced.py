"""Objects that are in a bucket already: registered by what the store says of them, and not copied."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import kfnb
from kfnb.commands.display import bundle
from kfnb.errors import BackendError, UsageError
from kfnb.resources.components.api import spec_of
from kfnb.resources.datasets.addresses import object_store
from kfnb.resources.datasets.api import verify, with_data
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
