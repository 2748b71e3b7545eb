"""`kfnb doctor` tells whether the stores that the settings name are there: a line each, with the fix."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

import kfnb
from kfnb import settings as config
from kfnb.cli import main
from kfnb.resources.cluster.checks import stores as checks
from kfnb.resources.cluster.checks.stores import stores
from kfnb.resources.cluster.model import Check, CheckOutcome


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[config.Kfnb]:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    yield config.reset()
    config.reset()


@contextmanager
def answering(status: int, body: bytes = b"", wait: float = 0.0) -> Iterator[str]:
    """The address of a server with one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(wait)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def bucket(endpoint: str) -> str:
    return f"s3://bucket/data?endpoint={endpoint}&region=us-east-1"


def data() -> Check:
    return next(one for one in stores() if one.name == "data store")


def models() -> Check:
    return next(one for one in stores() if one.name.startswith("model registry"))


DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
NO_BUCKET = b"<Error><Code>NoSuchBucket</Code><Message>The bucket does not exist</Message></Error>"


def test_the_store_in_the_home_is_fine(tmp_path: Path) -> None:
    assert data().outcome is CheckOutcome.GOOD
    kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))
    assert data().message == f"1 data set in {tmp_path}/home/data"
    assert len([*stores()]) == 1, "no model registry is set"


@pytest.mark.parametrize(
    ("status", "body", "message", "fix"),
    [
        (403, DENIED, "does not allow", "AWS_ACCESS_KEY_ID"),
        (404, NO_BUCKET, "the bucket of s3://bucket/data does not exist", "create the bucket"),
    ],
    ids=["forbidden", "missing"],
)
def test_a_bucket_that_refuses_is_named_with_the_fix(
    settings: config.Kfnb, status: int, body: bytes, message: str, fix: str
) -> None:
    with answering(status, body) as endpoint:
        settings.set("data_store", bucket(endpoint))
        found = data()
    assert found.outcome is CheckOutcome.BAD
    assert message in found.message
    assert fix in found.fix
    assert "\n" not in found.message + found.fix
    assert "secret" not in found.message


def test_a_bucket_that_is_not_there_is_not_waited_for(
    settings: config.Kfnb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "TIMEOUT", 0.3)
    with answering(200, wait=2.0) as endpoint:
        settings.set("data_store", bucket(endpoint))
        begun = time.monotonic()
        found = data()
        assert time.monotonic() - begun < 1.5
    assert (found.outcome, found.message) == (
        CheckOutcome.BAD,
        "data_store does not answer within 0.3 s",
    )
    assert "%kf_config data_store=ADDRESS" in found.fix


def test_an_address_of_an_unknown_kind_is_refused(settings: config.Kfnb) -> None:
    settings.set("data_store", "ftp://host/data")
    assert data().outcome is CheckOutcome.BAD
    assert "the scheme ftp:// is not allowed" in data().message
    assert data().fix


def test_a_folder_that_cannot_be_made_is_named(settings: config.Kfnb, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.set("data_store", f"{tmp_path}/file/data")
    assert data().outcome is CheckOutcome.BAD
    assert str(tmp_path / "file") in data().message
    assert "data_store=" in data().fix


def test_a_model_registry_tells_its_api(settings: config.Kfnb) -> None:
    with answering(200, b'{"items": []}') as url:
        settings.set("model_registry", url)
        assert models() == Check(
            "model registry of the settings", CheckOutcome.GOOD, f"{url} has v1 of the API"
        )


@pytest.mark.parametrize(
    ("status", "body", "message", "fix"),
    [
        (403, b'{"message": "no"}', "403", "ask"),
        (401, b"{}", "401", "token_file"),
        (404, b"", "does not speak v1 or v1alpha3", "%kf_config model_registry=ADDRESS"),
        (200, b"<html>login</html>", "login page", "token_file"),
    ],
    ids=["forbidden", "unauthenticated", "another server", "login page"],
)
def test_a_model_registry_that_refuses_is_named_with_the_fix(
    settings: config.Kfnb, status: int, body: bytes, message: str, fix: str
) -> None:
    with answering(status, body) as url:
        settings.set("model_registry", url)
        found = models()
    assert found.outcome is CheckOutcome.BAD
    assert message in found.message
    assert fix in (found.fix + found.message)
    assert found.fix
    assert "\n" not in found.message + found.fix


def test_doctor_names_them_and_fails(settings: config.Kfnb, capsys: pytest.CaptureFixture[str]) -> None:
    del settings
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFNB_MODEL_REGISTRY", "http://127.0.0.1:9")
        patch.setattr(checks, "TIMEOUT", 0.5)
        config.reset()
        assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "model registry of the settings" in out
    assert "KFNB_MODEL_REGISTRY=ADDRESS" in out
