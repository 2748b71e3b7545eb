"""Learning curves from Katib's DB manager: what a real one answered, and a gRPC server that gives those answers."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.grpc import messages
from kfnb.resources.studies.katib.observations import API, Observations

RECORDED = json.loads((Path(__file__).parent / "data" / "observations.json").read_text())
"""Requests and replies of Katib's own DB manager (of June 2026, with MariaDB), as raw bytes."""


def raw(text: str) -> bytes:
    return base64.b64decode(text)


class Manager(grpc.GenericRpcHandler):
    """Answers each recorded request as it was answered, byte by byte; refuses any other."""

    def __init__(self) -> None:
        self.answers = {raw(one["request"]): raw(one["reply"]) for one in RECORDED}
        self.asked: list[bytes] = []

    def service(self, call: Any) -> Any:
        if call.method != "/api.v1.beta1.DBManager/GetObservationLog":
            return None

        def answer(request: bytes, context: Any) -> bytes:
            self.asked.append(request)
            if request not in self.answers:
                context.abort(grpc.StatusCode.INTERNAL, "no such trial was recorded")
            return self.answers[request]

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def manager() -> Iterator[tuple[Manager, str]]:
    handler = Manager()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: f"{one['trial']}-{one['metric']}")
def test_requests_are_the_bytes_that_a_real_db_manager_understood(one: Any) -> None:
    request = messages(API)["GetObservationLogRequest"](trial_name=one["trial"], metric_name=one["metric"])
    assert request.SerializeToString() == raw(one["request"])


def test_a_real_answer_is_read_with_its_times_names_and_values() -> None:
    (whole,) = (one for one in RECORDED if one["metric"] == "")
    logs = messages(API)["GetObservationLogReply"].FromString(raw(whole["reply"])).observation_log.metric_logs
    assert [(log.metric.name, log.metric.value) for log in logs] == [
        ("loss", "4.008"),
        ("loss", "3.008"),
        ("loss", "2.008"),
        ("loss", "1.008"),
        ("accuracy", "0.5"),
    ]
    assert logs[0].time_stamp == "2026-11-25T03:16:15.410693Z"


def test_curves_are_the_values_in_their_order_with_steps_from_0(manager: tuple[Manager, str]) -> None:
    _, address = manager
    assert dict(Observations(address).curves(["bowl-a1"], "loss")) == {
        "bowl-a1": ((0, 4.008), (1, 3.008), (2, 2.008), (3, 1.008))
    }


def test_what_is_no_number_is_no_point_of_a_curve(manager: tuple[Manager, str]) -> None:
    _, address = manager
    found = dict(Observations(address).curves(["bowl-b2", "bowl-c3", "nobody"], "loss"))
    assert found == {"bowl-b2": (), "bowl-c3": ((0, 1e-05), (1, -2500.0), (2, 7.0)), "nobody": ()}


def test_a_trial_is_asked_about_when_its_curve_is_wanted(manager: tuple[Manager, str]) -> None:
    handler, address = manager
    curves = Observations(address).curves(["bowl-a1", "bowl-b2", "bowl-c3"], "loss")
    next(curves)
    curves.close()
    assert len(handler.asked) == 1


def test_a_db_manager_that_is_not_there_may_answer_later() -> None:
    with pytest.raises(BackendUnavailable, match=r"DB manager does not answer at 127\.0\.0\.1:1"):
        list(Observations("127.0.0.1:1").curves(["bowl-a1"], "loss"))


def test_a_refusal_is_said_in_one_sentence(manager: tuple[Manager, str]) -> None:
    _, address = manager
    with pytest.raises(BackendError, match=r"refused \(INTERNAL\): no such trial was recorded"):
        list(Observations(address).curves(["another"], "loss"))


def test_a_newer_answer_with_more_fields_is_read() -> None:
    reply = messages(API)["GetObservationLogReply"]
    more = reply.FromString(raw(RECORDED[0]["reply"]) + b"\x9a\x06\x03new")
    assert len(more.observation_log.metric_logs) == 4
