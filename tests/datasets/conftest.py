"""Data stores to test with: a folder, and a bucket of a real server of S3's protocol on this machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import BucketObjects, FolderObjects, Objects
from kfnb.resources.datasets.store import DataStore
from kfnb.resources.datasets.version_writer import VersionWriter

_counter = itertools.count()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server that has a bucket called ``bucket``."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/bucket", method="PUT")):
        pass
    yield endpoint
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def new_objects(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Objects]:
    """Opens the same empty folder or bucket each time that it is called, as another process would."""
    if request.param == "folder":
        return lambda: FolderObjects(tmp_path / "store")
    endpoint = request.getfixturevalue("s3")
    access = StoreAccess("s3", endpoint=endpoint, region="us-east-1", keys=AccessKeys("key", "secret"))
    root = f"s3://bucket/data-{next(_counter)}"
    return lambda: BucketObjects(root, ObjectStore(access))


@pytest.fixture
def objects(new_objects: Callable[[], Objects]) -> Objects:
    """An empty folder or bucket."""
    return new_objects()


@pytest.fixture
def store(objects: Objects) -> DataStore:
    """An empty data store."""
    return DataStore(objects)


@pytest.fixture
def adding(store: DataStore, tmp_path: Path) -> VersionWriter:
    """Adds versions to ``store``."""
    return VersionWriter(store, tmp_path / "home", FileDigests(tmp_path / "home" / "digests.db"))


@pytest.fixture
def by() -> dict[str, object]:
    """What ``VersionWriter`` wants to know beside the content."""
    return {"owner": "ann", "description": "", "source": {}}
