"""What a program answers to V1 and V2 requests, to wrong ones, and what it tells of itself."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kfnb.capture.embedded.model_facts import kfnb_columns
from kfnb.server.app import App
from kfnb.server.encoding import json_rows
from kfnb.server.http_messages import HttpRequest
from kfnb.server.predictor import listed
from kfnb.server.protocol_v2 import output_tensors_of, write_v2
from kfnb.server.served import serve_folder
from tests.server.model_folders import Program, customers

TABLE = customers(40, seed=1)
ROWS = json_rows(TABLE)
PREDICT = "/v1/models/churn:predict"


# -- V1


def test_v1_predicts_a_list_of_rows(churn: Program):
    found = churn.predict(ROWS)
    assert len(found) == len(ROWS)
    assert set(found) == {"leaves", "stays"}


def test_v1_predicts_rows_by_column(churn: Program):
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    answer = churn.ask("POST", PREDICT, {"inputs": columns})
    assert answer.json["predictions"] == churn.predict(ROWS)
    assert churn.ask("POST", PREDICT, {"inputs": ROWS}).json["predictions"] == churn.predict(ROWS)


def test_v1_predicts_an_array(array_program: Program):
    assert np.allclose(array_program.predict([[1, 2, 3], [0, 0, 1]]), [[5, 7], [0, 3]])


def test_v1_tells_which_models_are_here_and_ready(churn: Program):
    assert churn.ask("GET", "/v1/models").json == {"models": ["churn"]}
    assert churn.ask("GET", "/v1/models/churn").json == {"name": "churn", "ready": True}
    assert churn.ask("GET", "/").json == {"status": "alive"}


def test_no_rows_have_no_predictions(churn: Program):
    assert churn.predict([]) == []
    assert churn.explain([]) == []


# -- V2


def tensors(rows) -> list[dict]:
    kinds = {"income": "FP64", "age": "INT64", "visits": "INT64", "paid": "BOOL"}
    return [
        {"name": name, "shape": [len(rows)], "datatype": kinds.get(name, "BYTES"), "data": [row[name] for row in rows]}
        for name in rows[0]
    ]  # fmt: skip


def test_v2_predicts_a_tensor_for_each_column_in_any_order(churn: Program):
    body = {"id": "mine", "inputs": tensors(ROWS)[::-1]}
    found = churn.ask("POST", "/v2/models/churn/infer", body).json
    assert found["id"] == "mine"
    assert (found["model_name"], found["model_version"]) == ("churn", "7")
    (output,) = found["outputs"]
    assert output == {"name": "predict", "shape": [40], "datatype": "BYTES", "data": churn.predict(ROWS)}


def test_v2_predicts_a_matrix(array_program: Program):
    tensor = {"name": "input-0", "shape": [2, 3], "datatype": "FP64", "data": [1, 2, 3, 0, 0, 1]}
    for data in (tensor["data"], [[1, 2, 3], [0, 0, 1]]):
        found = array_program.ask(
            "POST", "/v2/models/churn/infer", {"inputs": [{**tensor, "data": data}]}
        ).json
        (output,) = found["outputs"]
        assert (output["shape"], output["datatype"]) == ([2, 2], "FP64")
        assert np.allclose(output["data"], [5, 7, 0, 3])


def binary(rows) -> tuple[bytes, str]:
    """The rows as tensors whose bytes are behind the JSON."""
    given, packed = tensors(rows), []
    formats = {"FP64": "<f8", "INT64": "<i8", "BOOL": "?"}
    for tensor in given:
        values = tensor.pop("data")
        if tensor["datatype"] == "BYTES":
            packed.append(b"".join(struct.pack("<I", len(one.encode())) + one.encode() for one in values))
        else:
            packed.append(np.array(values, formats[tensor["datatype"]]).tobytes())
        tensor["parameters"] = {"binary_data_size": len(packed[-1])}
    head = json.dumps({"inputs": given, "parameters": {"binary_data_output": True}}).encode()
    return b"".join([head, *packed]), str(len(head))


def test_v2_takes_and_gives_tensors_as_bytes(churn: Program):
    rows = [{**row, "income": row["income"] or 3000.0} for row in ROWS[:5]]
    body, length = binary(rows)
    answer = churn.ask(
        "POST", "/v2/models/churn/infer", body,
        content_type="application/octet-stream", inference_header_content_length=length,
    )  # fmt: skip
    assert answer.status == 200, answer.body
    head = int(answer.headers["inference-header-content-length"])
    (output,) = json.loads(answer.body[:head])["outputs"]
    expected = b"".join(struct.pack("<I", len(one)) + one.encode() for one in churn.predict(rows))
    assert answer.body[head:] == expected
    assert output["parameters"] == {"binary_data_size": len(expected)}


def test_v2_tells_of_the_server_and_of_the_model(churn: Program):
    assert churn.ask("GET", "/v2").json == {
        "name": "kfnb",
        "version": "7",
        "extensions": ["binary_tensor_data"],
    }
    assert churn.ask("GET", "/v2/health/live").json == {"live": True}
    assert churn.ask("GET", "/v2/health/ready").json == {"ready": True}
    for place in ("/v2/models/churn", "/v2/models/churn/versions/7"):
        assert churn.ask("GET", f"{place}/ready").json == {"name": "churn", "ready": True}
        metadata = churn.ask("GET", place).json
        assert (metadata["name"], metadata["versions"], metadata["platform"]) == (
            "churn",
            ["7"],
            "kfnb_skops",
        )
        assert metadata["inputs"][:3] == [
            {"name": "income", "datatype": "FP64", "shape": [-1]},
            {"name": "age", "datatype": "INT64", "shape": [-1]},
            {"name": "city", "datatype": "BYTES", "shape": [-1]},
        ]
        assert metadata["outputs"] == [{"name": "predict", "datatype": "BYTES", "shape": [-1]}]


@pytest.mark.parametrize(
    "predicted",
    [
        np.array([True, False]),
        np.array([1, 2]),
        np.array([0.5, 1.0]),
        np.array([[0.5, 1.0, 2.0], [1.0, 1.0, 1.0]]),
        np.array(["yes", "no"]),
        pd.Series([1, 2]),
        pd.DataFrame({"low": [1, 2], "name": ["x", "y"]}),
    ],
    ids=lambda predicted: str(getattr(predicted, "dtype", "table")),
)
def test_the_metadata_promise_the_tensors_that_are_answered(predicted):
    promised = output_tensors_of(kfnb_columns(predicted))
    body, _ = write_v2("model", "1", {}, listed(predicted))
    answered = [(one["name"], one["datatype"], one["shape"][1:]) for one in json.loads(body)["outputs"]]
    assert [(one["name"], one["datatype"], one["shape"][1:]) for one in promised] == answered


def test_a_path_that_is_nearly_right_is_told_the_right_one(churn):
    answer = churn.ask("POST", "/v1/models/churn/predict", {"instances": []})
    assert answer.status == 404
    assert answer.json["error"].startswith(
        "there is nothing at this path; predict with /v1/models/churn:predict"
    )
    assert "no model other here, only churn" in churn.ask("GET", "/v1/models/other").json["error"]


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [3]},
        {"shape": [2, 20]},
        {"shape": []},
        {"shape": "40"},
        {"shape": [-40]},
        {"datatype": "FP128"},
        {"datatype": None},
        {"name": 1},
        {"data": None},
        {"data": [[1], 2]},
        {"parameters": {"binary_data_size": 10}},
        {"parameters": {"binary_data_size": -1}},
    ],
    ids=str,
)
def test_v2_refuses_a_tensor_that_is_none(churn: Program, change):
    given = tensors(ROWS)
    given[1].update(change)
    answer = churn.ask("POST", "/v2/models/churn/infer", {"inputs": given})
    assert (answer.status, answer.json["code"]) == (400, "bad-request")


def test_v2_refuses_values_that_are_not_as_in_training(churn: Program):
    given = tensors(ROWS)
    given[1]["data"] = [None, *given[1]["data"][1:]]
    answer = churn.ask("POST", "/v2/models/churn/infer", {"inputs": given})
    assert answer.status == 422
    assert answer.json["problems"] == [
        {"row": 0, "column": "age", "kind": "null", "message": "null, where training had no missing values"}
    ]


# -- what every answer has


def test_each_answer_has_an_id_and_the_version(churn: Program):
    one, two = (churn.ask("POST", PREDICT, {"instances": ROWS}) for _ in range(2))
    assert one.headers["x-kfnb-version"] == two.headers["x-kfnb-version"] == "7"
    assert one.headers["x-kfnb-request-id"] != two.headers["x-kfnb-request-id"]
    assert churn.ask("GET", "/nothing").headers["x-kfnb-request-id"]


def test_an_id_that_the_router_gave_is_kept_and_another_text_is_not(churn: Program):
    answer = churn.ask("GET", "/v1/models", x_kfnb_request_id="abc-1")
    assert answer.headers["x-kfnb-request-id"] == "abc-1"
    answer = churn.ask("GET", "/v1/models", x_kfnb_request_id="a b<script>")
    assert answer.headers["x-kfnb-request-id"] != "a b<script>"


def test_gzip_is_taken_and_given(churn: Program):
    body = gzip.compress(json.dumps({"instances": ROWS * 20}).encode())
    answer = churn.ask(
        "POST",
        PREDICT,
        body,
        content_encoding="gzip",
        content_type="application/json",
        accept_encoding="gzip",
    )
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json["predictions"] == churn.predict(ROWS) * 20
    plain = churn.ask("POST", PREDICT, {"instances": ROWS * 20}, accept_encoding="gzip;q=0, identity")
    assert "content-encoding" not in plain.headers


# -- what is refused


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (PREDICT, b"", 400, "bad-request"),
        (PREDICT, b"{", 400, "bad-request"),
        (PREDICT, b"\xff\xfe", 400, "bad-request"),
        (PREDICT, b"[1]", 400, "bad-request"),
        (PREDICT, b"null", 400, "bad-request"),
        (PREDICT, b"{}", 400, "bad-request"),
        (PREDICT, b'{"instances": 1}', 400, "bad-request"),
        (PREDICT, b'{"instances": [], "inputs": []}', 400, "bad-request"),
        (PREDICT, b'{"instances": [1]}', 400, "bad-request"),
        (PREDICT, b'{"instances": [[1]]}', 422, "bad-input"),
        (PREDICT, b'{"instances": [{}]}', 422, "bad-input"),
        (PREDICT, b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "bad-request"),
        (PREDICT, b'{"instances": [' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}", 400, "bad-request"),
        (PREDICT, b'{"instances": [{"age": ' + b"9" * 10_000 + b"}]}", 400, "bad-request"),
        ("/v1/models/other:predict", b'{"instances": []}', 404, "not-found"),
        ("/v1/models/churn:train", b"{}", 404, "not-found"),
        ("/v2/models/churn/versions/6/infer", b"{}", 404, "not-found"),
        ("/v2/models/churn/infer", b'{"inputs": []}', 400, "bad-request"),
        ("/v2/models/churn/infer", b'{"inputs": {}}', 400, "bad-request"),
        ("/v2/models/churn/infer", b'{"inputs": [1]}', 400, "bad-request"),
        ("/../../etc/passwd", b"{}", 404, "not-found"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_request_that_is_wrong_has_an_error_with_a_code(churn: Program, path, body, status, code):
    answer = churn.ask("POST", path, body, content_type="application/json")
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    assert isinstance(answer.json["error"], str)
    assert b"Traceback" not in answer.body
    assert churn.predict(ROWS[:1])


@pytest.mark.parametrize(("method", "allowed"), [("GET", "POST"), ("PUT", "POST"), ("DELETE", "POST")])
def test_a_wrong_method_is_told_the_right_one(churn: Program, method, allowed):
    answer = churn.ask(method, PREDICT)
    assert (answer.status, answer.headers["allow"], answer.json["code"]) == (405, allowed, "wrong-method")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_wrong_content_type_is_refused_as_a_page_of_another_site_could_send_it(churn: Program, kind):
    answer = churn.ask("POST", PREDICT, b'{"instances": []}', content_type=kind)
    assert (answer.status, answer.json["code"]) == (415, "wrong-content-type")


@pytest.mark.parametrize("kind", ["", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_a_content_type_of_json_is_taken(churn: Program, kind):
    assert churn.ask("POST", PREDICT, b'{"instances": []}', content_type=kind).status == 200


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 400), ("br", 415)])
def test_a_body_that_is_not_packed_as_it_says_is_refused(churn: Program, encoding, status):
    assert churn.ask("POST", PREDICT, b"{}", content_encoding=encoding).status == status


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(churn: Program):
    bomb = gzip.compress(b" " * 120_000_000, 9)
    began = time.monotonic()
    assert churn.ask("POST", PREDICT, bomb, content_encoding="gzip").status == 413
    assert time.monotonic() - began < 10


def test_nan_in_a_body_is_a_missing_value_and_infinity_is_refused(churn: Program):
    missing = churn.ask("POST", PREDICT, {"instances": [{**ROWS[0], "income": float("nan")}]})
    assert missing.json["predictions"] == churn.predict([{**ROWS[0], "income": None}])
    assert churn.ask("POST", PREDICT, {"instances": [{**ROWS[0], "income": float("inf")}]}).status == 422


def test_a_body_of_a_hundred_megabytes_is_survived(array_program: Program):
    row = b"[1." + b"0" * 1000 + b",2,3]"
    count = 99_000_000 // (len(row) + 1)
    body = b'{"instances":[' + b",".join([row] * count) + b"]}"
    answer = array_program.ask("POST", PREDICT, body, content_type="application/json")
    assert answer.status == 200
    assert len(answer.json["predictions"]) == count
    assert array_program.predict([[1, 2, 3]])


def test_requests_at_once_have_each_its_own_predictions(churn: Program):
    expected = churn.predict(ROWS)
    bad = {**ROWS[0], "age": "x"}

    def ask(number: int):
        row = bad if number % 5 == 0 else ROWS[number % len(ROWS)]
        return churn.ask("POST", PREDICT, {"instances": [row]})

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(400)))
    for number, answer in enumerate(answers):
        if number % 5 == 0:
            assert answer.status == 422
        else:
            assert answer.json["predictions"] == [expected[number % len(ROWS)]]


def test_a_connection_that_breaks_within_a_request_disturbs_no_other(churn: Program):
    host, port = churn.address.removeprefix("http://").split(":")
    for size in (10, 60, 120):
        with closing(socket.create_connection((host, int(port)))) as line:
            head = ["Host: localhost", "Content-Type: application/json", "Content-Length: 500", "", "{"]
            line.sendall("\r\n".join([f"POST {PREDICT} HTTP/1.1", *head]).encode()[:size])
    assert churn.predict(ROWS[:1])


# -- what is told of requests


def test_the_counters_are_given_as_json_and_for_prometheus(churn: Program):
    before = churn.ask("GET", "/kfnb/stats").json
    churn.predict(ROWS)
    churn.ask("POST", PREDICT, {"instances": [{**ROWS[0], "city": "Genf"}, {**ROWS[0], "city": "SECRET"}]})
    after = churn.ask("GET", "/kfnb/stats").json
    assert after["rows"] - before["rows"] == len(ROWS)
    assert after["requests"]["predict"]["200"] - before["requests"].get("predict", {}).get("200", 0) == 1
    assert after["errors"]["bad-input"] - before["errors"].get("bad-input", 0) == 1
    counted = after["bad_inputs"]["unseen-category"]["city"]
    assert counted - before["bad_inputs"].get("unseen-category", {}).get("city", 0) == 2
    assert sum(after["latency"]["counts"]["predict"]) == sum(after["requests"]["predict"].values())
    failure = after["failures"][-1]
    assert failure["status"] == 422
    assert failure["message"] == "unseen-category in city"
    assert "SECRET" not in json.dumps(after)
    text = churn.ask("GET", "/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert f'kfnb_bad_inputs_total{{kind="unseen-category",column="city"}} {counted}\n' in text.body.decode()
    assert 'kfnb_model_info{name="churn",version="7"} 1\n' in text.body.decode()


def test_the_histogram_for_prometheus_adds_up(churn: Program):
    churn.predict(ROWS[:1])
    lines = churn.ask("GET", "/metrics").body.decode().splitlines()
    buckets = [
        float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith('kfnb_request_seconds_bucket{verb="predict"')
    ]
    (count,) = [
        float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith('kfnb_request_seconds_count{verb="predict"')
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == count


def test_the_log_has_no_value_of_a_row(churn: Program):
    churn.ask("POST", PREDICT, {"instances": [{**ROWS[0], "city": "SECRET", "age": "SECRET"}]})
    churn.ask("GET", "/SECRET?x=SECRET")
    assert "SECRET" not in churn.log.read_text()


def test_an_explanation_whose_client_has_gone_is_not_made_to_its_end(churn_deployed: Path):
    served = serve_folder(churn_deployed, "churn", "7")
    began, release, scored = threading.Event(), threading.Event(), []

    def score(rows: object) -> object:
        scored.append(1)
        began.set()
        release.wait(10)
        return served.predictor.score(rows)

    predictor = replace(served.predictor)
    object.__setattr__(predictor, "score", score)
    explainer = replace(served.explainer, predictor=predictor)

    async def scenario() -> int:
        app = App(replace(served, explainer=explainer))
        body = json.dumps({"instances": ROWS[:20]}).encode()
        asking = asyncio.create_task(app(HttpRequest("POST", "/v1/models/churn:explain", {}, body)))
        await asyncio.to_thread(began.wait, 10)
        asking.cancel()
        await asyncio.wait({asking})
        release.set()
        await app(
            HttpRequest("POST", "/v1/models/churn:explain", {}, b'{"instances": []}')
        )  # which waits for it
        of_one = len(scored)
        await app(
            HttpRequest("POST", "/v1/models/churn:explain", {}, json.dumps({"instances": ROWS[:1]}).encode())
        )
        return of_one - (len(scored) - of_one)

    assert asyncio.run(scenario()) == 0


def test_an_internal_error_is_counted_as_any_other(churn_deployed: Path, capfd):
    class Broken:
        def explain(self, rows: object, abandoned: object) -> dict:
            raise LookupError("Ann")

    async def scenario() -> None:
        app = App(replace(serve_folder(churn_deployed, "churn", "7"), explainer=Broken()))  # type: ignore[arg-type]
        body = json.dumps({"instances": ROWS[:1]}).encode()
        answer = await app(HttpRequest("POST", "/v1/models/churn:explain", {}, body))
        counted = app.statistics.as_json()
        assert (answer.status, counted["requests"]["explain"], counted["errors"]) == (
            500,
            {"500": 1},
            {"internal": 1},
        )
        assert counted["failures"][-1]["message"] == "LookupError"
        assert counted["failures"][-1]["id"] == answer.headers["x-kfnb-request-id"]

    asyncio.run(scenario())
    log = capfd.readouterr().err
    assert "LookupError" in log
    assert "Ann" not in log
