"""A version knows the content of the data behind it, here and in the cluster's registry, where all may read it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from registry_conformance import draft, make_folder

import kfnb
from kfnb.remote.model_registry.server import RegistryServer
from kfnb.resources.models.kubeflow.artifacts import complete
from kfnb.resources.models.kubeflow.properties import completed, decoded, encoded
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.settings import settings

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture(autouse=True)
def _home(tmp_path) -> Iterator[None]:
    before = settings().home, settings().owner
    settings().home, settings().owner = str(tmp_path / "home"), "ann"
    yield
    settings().home, settings().owner = before


def test_a_registration_keeps_the_digests_of_its_data(tmp_path) -> None:
    data = kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))
    folder = make_folder(tmp_path)
    (folder / "kfnb_model.json").write_text('{"format": "skops", "file": "model.skops"}')
    version = kfnb.register(folder, "churn", data=data)
    assert version.snapshot().data_digests == {"churn-data@1": data.digest}


def test_data_that_is_added_to_a_version_comes_with_its_digest(tmp_path) -> None:
    folder = make_folder(tmp_path)
    registry = LocalRegistry(tmp_path / "registry")
    first = draft("churn", folder, data=("d@1",), data_digests={"d@1": ONE}, parameters={"C": 1})
    registry.register(first, folder)
    registry.register(replace(first, data=("d@2",), data_digests={"d@2": TWO}), folder)
    kept = registry.version("churn", 1)
    assert (kept.data, kept.data_digests) == (("d@1", "d@2"), {"d@1": ONE, "d@2": TWO})
    assert kept.parameters == {"C": 1}


def test_the_cluster_has_them_in_its_properties(tmp_path) -> None:
    folder = make_folder(tmp_path)
    version = draft("churn", folder, data=("d@1",), data_digests={"d@1": ONE})
    properties = encoded(version)
    assert decoded({"customProperties": properties}, "churn", 1).data_digests == {"d@1": ONE}
    more = completed(properties, replace(version, data=("d@2",), data_digests={"d@2": TWO}))
    assert decoded({"customProperties": more}, "churn", 1).data_digests == {"d@1": ONE, "d@2": TWO}
    assert "kfnb.data_digests" not in encoded(draft("churn", folder))


class ArtifactsApi(http.server.BaseHTTPRequestHandler):
    """Keeps the artifacts that are posted."""

    kept: list[dict[str, Any]]

    def do_GET(self) -> None:
        self._send(200, {"items": self.kept})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.kept.append(body)
        self._send(201, body)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def test_a_data_set_artifact_has_the_digest_of_its_content(tmp_path) -> None:
    kept: list[dict[str, Any]] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (ArtifactsApi,), {"kept": kept}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    version = draft("churn", make_folder(tmp_path), data=("d@1", "d@2"), data_digests={"d@1": ONE})
    complete(RegistryServer(f"http://127.0.0.1:{server.server_port}"), "7", version)
    server.shutdown()
    server.server_close()
    found = {one["name"]: one.get("digest") for one in kept if one["artifactType"] == "dataset-artifact"}
    assert found == {"d@1": ONE, "d@2": None}
