"""A data store in a bucket, where writers are killed, connections are cut, and the server has a CA of its own."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

import kfnb
from kfnb.errors import BackendError
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.objects import BucketObjects
from kfnb.resources.datasets.store import DataStore
from kfnb.resources.datasets.version_writer import VersionWriter
from kfnb.settings import reset, settings
from tests.datasets.line import Line, line_to

SIZE = 24_000_000
"""Bytes of a file that is uploaded in five parts."""
By = dict[str, object]

_ADD = """
import sys
from pathlib import Path
import kfnb
kfnb.add_data("churn-data", Path(sys.argv[1]))
"""


@dataclass
class Bucket:
    """An empty data store in a bucket, by a line to its server."""

    line: Line
    folder: Path
    root: str

    def store(self) -> DataStore:
        """The store as another process opens it."""
        access = StoreAccess("s3", f"http://{self.line.address}", "us-east-1", keys=AccessKeys("k", "s"))
        return DataStore(BucketObjects(self.root, ObjectStore(access)))

    def adding(self) -> VersionWriter:
        """Adds versions to it, with a home of its own."""
        home = self.folder / f"home-{len(list(self.folder.iterdir()))}"
        home.mkdir()
        return VersionWriter(self.store(), home, FileDigests(home / "digests.db"))

    def is_whole(self) -> bool:
        """Whether a check finds nothing broken."""
        return not self.store().verify().damages


@pytest.fixture
def bucket(s3: str, tmp_path: Path) -> Iterator[Bucket]:
    with line_to(int(s3.rpartition(":")[2])) as line:
        folder = tmp_path / "homes"
        folder.mkdir()
        yield Bucket(line, folder, f"s3://bucket/{tmp_path.name}-{os.getpid()}")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.bin"
    file.write_bytes(os.urandom(SIZE))
    return file


@pytest.mark.slow
@pytest.mark.parametrize("sent", [1_000, 6_000_000, SIZE - 1_000, SIZE + 2_000])
def test_a_writer_that_is_killed_leaves_no_broken_version(
    bucket: Bucket, large: Path, by: By, sent: int
) -> None:
    environment = {
        **os.environ,
        "KFNB_HOME": str(bucket.folder / "killed"),
        "KFNB_DATA_STORE": bucket.root,
        "AWS_ENDPOINT_URL": f"http://{bucket.line.address}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
    writer = subprocess.Popen([sys.executable, "-c", _ADD, str(large)], env=environment)
    bucket.line.at_limit, bucket.line.limit = writer.kill, sent
    assert writer.wait(60) == -9
    assert bucket.is_whole()
    version, _ = bucket.adding().path("churn-data", large, **by)
    assert version.ref == "churn-data@1"
    assert bucket.is_whole()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [3_000, 6_000_000, SIZE - 1_000])
def test_an_upload_survives_a_cut_connection(bucket: Bucket, large: Path, by: By, sent: int) -> None:
    bucket.line.limit = sent
    version, new = bucket.adding().path("churn-data", large, **by)
    assert (version.ref, new, version.size) == ("churn-data@1", True, SIZE)
    assert bucket.line.limit is None  # it was cut
    assert bucket.is_whole()


@pytest.mark.slow
def test_a_server_that_is_gone_in_an_upload_is_said_and_nothing_is_broken(
    bucket: Bucket, large: Path, by: By
) -> None:
    bucket.line.at_limit, bucket.line.limit = bucket.line.close, 6_000_000
    with pytest.raises(BackendError, match=r"the data store: the object store at .* does not answer"):
        bucket.adding().path("churn-data", large, **by)
    with line_to(bucket.line.port) as again:
        bucket.line = again
        assert bucket.store().names() == []
        assert bucket.is_whole()
        assert bucket.adding().path("churn-data", large, **by)[1]
        assert bucket.is_whole()


@pytest.mark.slow
def test_two_writers_of_the_same_content_make_one_version(bucket: Bucket, large: Path, by: By) -> None:
    begin = threading.Barrier(2)

    def add(adding: VersionWriter) -> str:
        begin.wait()
        return adding.path("churn-data", large, **by)[0].ref

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(add, [bucket.adding(), bucket.adding()]))
    contents = bucket.store().objects.entries("objects/")
    assert [one.size for one in contents] == [SIZE]
    records = bucket.store().versions("churn-data")
    assert {one.ref for one in records} >= set(found)
    assert {one.digest for one in records} == {records[0].digest}
    assert bucket.is_whole()


# -- a server with a CA of its own --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CA (``ca.pem``), and the certificate of a server that it signed."""
    if shutil.which("openssl") is None:
        pytest.skip("makes certificates by openssl")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    for words in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=team",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem -extfile names",
    ):
        subprocess.run(["openssl", *words.split()], check=True, capture_output=True, cwd=folder)
    return folder


@pytest.fixture
def secure(
    s3: str, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """The settings name a store over TLS; what is returned trusts its CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    with line_to(int(urlsplit(s3).port or 0), context) as line:
        address = f"s3://bucket/{tmp_path.name}-tls?endpoint=https://{line.address}&region=us-east-1"
        monkeypatch.setenv("KFNB_DATA_STORE", address)
        reset()
        yield lambda: settings().set("ca_file", str(authority / "ca.pem"))
    monkeypatch.undo()
    reset()


def test_a_server_with_a_ca_of_its_own_is_refused_with_what_to_set(secure: Callable[[], None]) -> None:
    with pytest.raises(BackendError, match="signed by an unknown CA: set %kf_config ca_file=FILE"):
        kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))


def test_a_ca_of_the_settings_is_trusted(secure: Callable[[], None]) -> None:
    secure()
    frame = pd.DataFrame({"a": [1, 2]})
    kfnb.add_data("churn-data", frame)
    pd.testing.assert_frame_equal(kfnb.dataset("churn-data@1").load(), frame)
