"""Rows on their way to a service, and what is made of its answers."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kfnb.errors import BackendError, ServiceFailed, Unauthenticated, UsageError
from kfnb.remote.http import Http
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.services import client as module
from kfnb.resources.services.client import ServiceClient
from kfnb.resources.services.engine import ServiceAddress
from kfnb.resources.services.rows import instances, predictions

UTC = dt.timezone.utc


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        (pd.DataFrame({"a": [1, 2], "b": [0.5, None]}), [{"a": 1, "b": 0.5}, {"a": 2, "b": None}]),
        (pl.DataFrame({"a": [1, None], "b": ["x", ""]}), [{"a": 1, "b": "x"}, {"a": None, "b": ""}]),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), [{"a": 1}, {"a": None}]),
        (pd.DataFrame({1: [True]}, index=["row"]), [{"1": True}]),
        (pd.DataFrame({"a": pd.Categorical(["x", None])}), [{"a": "x"}, {"a": None}]),
        (
            pd.DataFrame({"at": pd.to_datetime(["2026-11-30T10:00:00+01:00", None])}),
            [{"at": "2026-11-30T10:00:00+01:00"}, {"at": None}],
        ),
        (pd.DataFrame({"a": []}), []),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([[1.5, np.nan]]), [[1.5, None]]),
        (np.array(["one", "two"]), ["one", "two"]),
        ([{"a": np.float32(0.5), "b": np.int64(3)}], [{"a": 0.5, "b": 3}]),
        ({"a": 1, "b": {"c": (1, None)}}, [{"a": 1, "b": {"c": [1, None]}}]),
        ([[1, float("nan")], (2, 3)], [[1, None], [2, 3]]),
        ([{"at": dt.datetime(2026, 11, 30, tzinfo=UTC)}], [{"at": "2026-11-30T00:00:00+00:00"}]),
        (["a text", "another"], ["a text", "another"]),
        (({"a": n} for n in range(2)), [{"a": 0}, {"a": 1}]),
        (pa.table({"a": [1, None], "b": ["x", "y"]}), [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]),
        (pa.RecordBatch.from_pylist([{"a": 0.5}]), [{"a": 0.5}]),
        ([{"bin": pd.Interval(0, 1)}], [{"bin": "(0, 1]"}]),
    ],
)
def test_rows_become_json(rows: Any, sent: Any) -> None:
    found = instances(rows)
    assert found == sent
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("rows", ["a text", b"bytes", 3, None, pd.Series([1, 2]), object()])
def test_what_is_not_rows_is_refused(rows: Any) -> None:
    with pytest.raises(UsageError, match="is not rows: give a DataFrame"):
        instances(rows)


class Plan(Enum):
    """Not a text."""

    SMALL = "small"


@pytest.mark.parametrize(
    "value",
    [
        np.inf,
        -np.inf,
        b"00012",
        Decimal("1.5"),
        Path("a"),
        UUID(int=1),
        Plan.SMALL,
        {1},
        np.bytes_(b"x"),
        object(),
    ],
)
def test_what_would_arrive_as_another_value_is_refused(value: Any) -> None:
    tables = [pd.DataFrame({"a": ["x", "y"], "ratio": ["x", value]}), [{"ratio": 1.5}, {"ratio": value}]]
    for rows in tables:
        with pytest.raises(UsageError, match=r"row 1, column ratio: (the number is not finite|.* is a )"):
            instances(rows)
    for array in ([[1.0], [value]], np.array([[1.0], [value]], dtype=object)):
        with pytest.raises(UsageError, match="row 1: "):
            instances(array)


@pytest.mark.parametrize(
    "rows",
    [pd.DataFrame({"a": [1.5, np.inf]}), pl.DataFrame({"a": [1.5, np.inf]}), pa.table({"a": [1.5, np.inf]})],
)
def test_an_infinite_number_of_a_table_is_named_by_row_and_column(rows: Any) -> None:
    with pytest.raises(UsageError, match="row 1, column a: the number is not finite"):
        instances(rows)


def test_predictions_without_a_number_are_nan() -> None:
    np.testing.assert_array_equal(predictions([None, None]), [np.nan, np.nan])
    np.testing.assert_array_equal(predictions([[1, None], [2.5, 3]]), [[1, np.nan], [2.5, 3]])
    assert predictions(["yes", None]).tolist() == ["yes", None]
    assert predictions([True, None]).tolist() == [True, None]


def test_columns_have_one_name_each() -> None:
    with pytest.raises(UsageError, match="more than one column a"):
        instances(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_predictions_are_an_array_or_a_table_where_they_have_names() -> None:
    assert predictions([1, 0]).tolist() == [1, 0]
    assert predictions([1, 0]).dtype.kind == "i"
    assert predictions([[0.1, 0.9], [0.5, 0.5]]).shape == (2, 2)
    assert predictions(["yes", "no"]).tolist() == ["yes", "no"]
    assert predictions([[1], [1, 2]]).tolist() == [[1], [1, 2]]
    table = predictions([{"low": 1, "high": 2}, {"low": 3, "high": 4}])
    assert list(table.columns) == ["low", "high"]
    assert len(predictions([])) == 0


class Answering(BaseHTTPRequestHandler):
    """Answers as the test says, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    answer: Any = None
    asked: list[tuple[str, dict[str, str], Any]] = []  # noqa: RUF012 - set anew for each test

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        type(self).asked.append((self.path, headers, body))
        status, content = type(self).answer(body)
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.send_header("X-Kfnb-Version", "7")
        self.send_header("X-Kfnb-Request-Id", f"id-{len(type(self).asked)}")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Answering]]:
    """The handler of a server that answers with the sum of each row."""
    monkeypatch.setattr(module, "_TIMEOUT", RetryPolicy(tries=4, pause=0.01, longest=0.02))
    handler = type("Handler", (Answering,), {"asked": []})
    handler.answer = staticmethod(
        lambda body: (200, {"predictions": [sum(row) for row in body["instances"]]})
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def client_of(answering: Any, **headers: str) -> ServiceClient:
    return ServiceClient("churn", lambda version, verb: ServiceAddress(answering.url, headers))


def test_each_answer_has_its_version_and_an_id(answering: Any) -> None:
    (answer,) = client_of(answering, authorization="Bearer t", host="churn.example").ask("predict", [[1, 2]])
    assert (answer.version, answer.id, answer.content) == ("7", "id-1", [3])
    path, headers, body = answering.asked[0]
    assert (path, body) == ("/v1/models/churn:predict", {"instances": [[1, 2]]})
    assert (headers["authorization"], headers["host"]) == ("Bearer t", "churn.example")
    assert "x-kfnb-version" not in headers


def test_each_request_has_an_id_by_which_kserves_logger_knows_it_too(answering: Any) -> None:
    client_of(answering).ask("predict", [[1]])
    client_of(answering).ask("predict", [[1]])
    first, second = (headers for _, headers, _ in answering.asked)
    assert first["ce-id"] == first["x-kfnb-request-id"] != second["ce-id"]


def test_an_answer_of_another_server_has_the_id_that_was_sent(answering: Any) -> None:
    answering.send_header = lambda self, name, value: (
        None if name == "X-Kfnb-Request-Id" else BaseHTTPRequestHandler.send_header(self, name, value)
    )
    (answer,) = client_of(answering).ask("predict", [[1]])
    assert answer.id == answering.asked[0][1]["ce-id"]


def test_a_version_can_be_named(answering: Any) -> None:
    client_of(answering).ask("predict", [[1]], version="canary")
    assert answering.asked[0][1]["x-kfnb-version"] == "canary"


def test_many_rows_are_sent_in_several_requests_and_come_back_in_order(
    answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module._MOST_ROWS, "predict", 10)
    answers = client_of(answering).ask("predict", [[number] for number in range(25)])
    assert [len(one.content) for one in answers] == [10, 10, 5]
    assert [value for one in answers for value in one.content] == list(range(25))
    assert client_of(answering).ask("predict", [])[0].content == []


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (422, "bad-input", UsageError),
        (400, "bad-request", UsageError),
        (404, "unknown-version", UsageError),
        (404, "not-found", BackendError),
        (401, "unauthorized", Unauthenticated),
        (403, "", Unauthenticated),
        (500, "model-failed", ServiceFailed),
        (504, "timeout", ServiceFailed),
    ],
)
def test_an_error_is_told_in_the_server_s_words(answering: Any, status: int, code: str, error: type) -> None:
    answering.answer = staticmethod(lambda _: (status, {"error": "column age is missing", "code": code}))
    with pytest.raises(error, match="service churn: column age is missing") as caught:
        client_of(answering).ask("predict", [[1]])
    assert caught.type is error


def test_what_is_no_json_is_told_too(answering: Any) -> None:
    for status, content in (200, b"<html>"), (200, b"[]"), (502, b"<html>bad gateway"), (500, b"[]"):
        answering.answer = staticmethod(lambda _, found=(status, content): found)
        with pytest.raises(ServiceFailed):
            client_of(answering).ask("predict", [[1]])


def test_a_service_that_restarts_is_asked_again(answering: Any) -> None:
    answers = iter([(503, {"error": "no version answers"}), (503, {}), (200, {"predictions": [1]})])
    answering.answer = staticmethod(lambda _: next(answers))
    assert client_of(answering).ask("predict", [[1]])[0].content == [1]


def test_a_service_that_has_moved_is_found(answering: Any) -> None:
    addresses = iter([ServiceAddress("http://127.0.0.1:9"), ServiceAddress(answering.url)])
    client = ServiceClient("churn", lambda version, verb: next(addresses))
    gone = ServiceAddress("http://127.0.0.1:9"), Http(retry=RetryPolicy(tries=1))
    client._known = {("", "predict"): gone}
    next(addresses)
    assert client.ask("predict", [[1]])[0].content == [1]


def test_explanations_are_asked_for_the_same_way(answering: Any) -> None:
    answering.answer = staticmethod(lambda _: (200, {"explanations": [{"prediction": 1}]}))
    assert client_of(answering).ask("explain", [[1]])[0].content == [{"prediction": 1}]
    assert answering.asked[0][0] == "/v1/models/churn:explain"
