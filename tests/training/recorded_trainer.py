"""A recorded Trainer as a server: what its own controllers, those of JobSet and of Kubernetes made of TrainJobs.

``trainer-VERSION.json.xz`` has, of each test of the suite, the exchanges with a real API server and that Trainer (built
from its source), whose pods were processes of a node of the test's own, and the objects that these left in the store.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from tests.recordings.recorder import NAMESPACE
from tests.recordings.replay import Exchange, RecordedExchanges
from tests.training.clusters import reach

LIVE = {"configmaps", "secrets"}
"""The kinds that are not recorded."""
_PYTHON = re.compile(r"python:3\.\d+-slim")


def recording_of(version: str) -> Path:
    """The file of a version of Trainer."""
    return Path(__file__).parent / f"trainer-{version}.json.xz"


@contextmanager
def reached(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the settings name the recorded namespace at a server. TrainJobs have the names of the recording."""
    names = (f"train-fit-{number}" for number in count(1))
    monkeypatch.setattr("kfnb.resources.training.trainer.engine.new_name", lambda _: next(names))
    configuration = pytest.importorskip("kubernetes.client").Configuration()
    configuration.host = url
    reach(configuration, NAMESPACE, monkeypatch)
    yield


def root_of(test: str) -> str:
    """The folder of a test in the store: that of the recording, where it is replayed."""
    return f"bucket/{test}"


def objects_in(s3: str, folder: str) -> dict[str, str]:
    """The objects of a folder of the store, by their paths."""
    store = _store(s3)
    return {one.path: base64.b64encode(store.read(one.path)).decode() for one in store.list_all(folder)}


def put_objects(s3: str, objects: dict[str, str]) -> None:
    """Write objects into the store."""
    store = _store(s3)
    for path, content in objects.items():
        store.write(path, base64.b64decode(content))


def _store(s3: str) -> ObjectStore:
    access = StoreAccess("s3", f"http://{s3}", "us-east-1", keys=AccessKeys("key", "secret"))
    return ObjectStore(access)


class RecordedTrainer(RecordedExchanges):
    """The exchanges of one test as a server."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        super().__init__(exchanges, LIVE)

    def essence(self, body: Any) -> Any:
        """Without the program, the annotations' content and the Python of the image."""
        metadata, spec = body.get("metadata", {}), body.get("spec")
        trainer = (spec or {}).get("trainer", {})
        annotations = {name: one is None for name, one in (metadata.get("annotations") or {}).items()}
        if "args" in trainer:
            spec = {**spec, "trainer": {**trainer, "args": []}}
        return _PYTHON.sub(
            "python:3-slim", json.dumps([spec, metadata.get("labels"), annotations], sort_keys=True)
        )
