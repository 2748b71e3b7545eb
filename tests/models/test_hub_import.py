"""Models of the Hugging Face Hub become versions: by its own client, from a server that answers as the Hub does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

pytest.importorskip("huggingface_hub")

COMMIT = "c0ffee" + "0" * 34
PROGRAM = """
import sys
import kfnb
from kfnb.cli import main
code = main(["models", "import", *sys.argv[1:], "--name", "churn"])
if code == 0:
    found = kfnb.model("churn").snapshot()
    print("RESULT", found.format, found.source.kind, found.source.id)
sys.exit(code)
"""


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A Hub with one repository, ``org/name``; its address, and the files that were asked for."""
    fetched: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            file = path.removeprefix(f"/org/name/resolve/{COMMIT}/")
            if path.startswith("/api/models/org/name"):
                listed = [{"rfilename": one} for one in files]
                self.answer(json.dumps({"id": "org/name", "sha": COMMIT, "siblings": listed}).encode())
            elif file in files:
                fetched.append(file)
                self.answer(files[file])
            else:
                self.answer(b"{}", 404)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", fetched
    finally:
        server.shutdown()
        server.server_close()


def imported(endpoint: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Import in a process of its own: the client reads its settings once, when it is imported."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "hub"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "KFNB_HOME": str(home / "kfnb"),
    }
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def estimator(tmp_path: Path) -> bytes:
    model = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
    skops.io.dump(model, tmp_path / "model.skops")
    return (tmp_path / "model.skops").read_bytes()


def test_the_one_safe_model_of_a_repository_is_imported_under_its_commit(
    tmp_path: Path, estimator: bytes
) -> None:
    files = {"README.md": b"# churn", "model.pkl": b"boom", "small/model.skops": estimator, "a.json": b"{}"}
    with hub(files) as (endpoint, fetched):
        done = imported(endpoint, tmp_path, "hf://org/name")
    assert done.returncode == 0, done.stderr
    assert f"RESULT skops import hf://org/name@{COMMIT}/small/model.skops" in done.stdout
    assert set(fetched) == {"small/model.skops"}


def test_an_mlflow_folder_in_a_repository_is_imported_without_its_pickles(
    tmp_path: Path, estimator: bytes
) -> None:
    described = b"flavors: {sklearn: {pickled_model: model.skops, serialization_format: skops}}"
    files = {"MLmodel": described, "model.skops": estimator, "old.pkl": b"boom", "code.py": b"boom"}
    with hub(files) as (endpoint, fetched):
        done = imported(endpoint, tmp_path, "hf://org/name@main")
    assert done.returncode == 0, done.stderr
    assert f"RESULT skops import hf://org/name@{COMMIT}\n" in done.stdout
    assert set(fetched) == {"MLmodel", "model.skops"}


@pytest.mark.parametrize(
    ("files", "address", "message"),
    [
        (["../model.skops"], "hf://org/name", "no model was found"),
        (["model.pkl"], "hf://org/name", "has only a pickle, model.pkl, which executes code"),
        (
            ["a.onnx", "b.onnx"],
            "hf://org/name",
            "has 2 models, a.onnx, b.onnx: choose one: hf://org/name/a.onnx",
        ),
        (["README.md"], "hf://org/name", "no model was found; downloaded are files"),
        (["a.onnx"], "hf://org/name/b.onnx", "b.onnx is not a file that can be imported"),
        (["a.onnx"], "hf://org/unknown", "hf://org/unknown cannot be downloaded: "),
    ],
)
def test_what_cannot_be_imported_is_said_in_one_line_and_nothing_is_downloaded(
    tmp_path: Path, files: list[str], address: str, message: str
) -> None:
    with hub(dict.fromkeys(files, b"boom")) as (endpoint, fetched):
        done = imported(endpoint, tmp_path, address)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert fetched == []
