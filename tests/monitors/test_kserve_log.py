"""Requests are read from what KServe's logger writes: each is counted once, in whatever objects its events are."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from kfnb.remote.objects import ObjectInfo, ObjectStore
from kfnb.resources.monitors.kubeflow.answers import answered, retrained
from kfnb.resources.monitors.kubeflow.kserve_log import (
    LogFolder,
    LoggedRequest,
    logged_requests,
    predictions_of,
)
from kfnb.resources.monitors.model import Action, Alarm, MonitorSpec, Rule

FOLDER = LogFolder("bucket/requests/team-a/churn", delay=60.0)


@dataclass
class Objects:
    """Objects by their paths, with the times at which they were written."""

    kept: dict[str, tuple[float, bytes]] = field(default_factory=dict)

    def put(self, at: float, events: Any) -> None:
        self.kept[f"{FOLDER.path}/predictor/{len(self.kept)}.json"] = at, json.dumps(events).encode()

    def list_all(self, path: str) -> list[ObjectInfo]:
        return [
            ObjectInfo(name, len(content), changed=at)
            for name, (at, content) in self.kept.items()
            if name.startswith(f"{path}/")
        ]

    def read(self, path: str) -> bytes:
        return self.kept[path][1]


def event(id: str, kind: str, body: bytes = b"{}", endpoint: str = "default") -> dict[str, str]:
    text = base64.b64encode(body).decode()
    return {
        "Id": id,
        "ReqType": f"org.kubeflow.serving.inference.{kind}",
        "Bytes": text,
        "Endpoint": endpoint,
    }


def read(objects: Objects, since: float, until: float) -> list[LoggedRequest]:
    return list(logged_requests(cast("ObjectStore", objects), FOLDER, since, until))


def test_a_request_and_its_response_are_joined_by_their_id() -> None:
    objects = Objects()
    objects.put(100.0, event("a", "request", b"question"))
    objects.put(
        101.0, [event("b", "request"), event("a", "response", b"answer", "canary"), event("b", "response")]
    )
    one, other = sorted(read(objects, 0.0, 200.0), key=lambda each: each.request.id)
    assert (one.request.body, one.response and one.response.body, one.at) == (b"question", b"answer", 101.0)
    assert (other.request.canary, other.at) == (False, 101.0)


def test_a_request_without_a_response_has_failed_when_none_can_come_any_more() -> None:
    objects = Objects()
    objects.put(100.0, event("a", "request"))
    assert read(objects, 0.0, 160.0) == []
    (failed,) = read(objects, 160.0, 161.0)
    assert failed.response is None
    assert read(objects, 161.0, 300.0) == []


def test_what_is_no_event_is_passed_over() -> None:
    objects = Objects()
    objects.put(100.0, ["text", {"Id": 3}, {"ReqType": "x.request"}, None])
    objects.put(100.0, event("a", "request"))
    objects.put(100.0, {**event("a", "response"), "Bytes": 7})
    objects.kept[f"{FOLDER.path}/predictor/x.json"] = 100.0, b"\x00not JSON"
    (one,) = read(objects, 0.0, 200.0)
    assert one.response is not None
    assert one.response.body == b""


@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.none() | st.integers(-59, 59)), max_size=30
    ),  # when each was asked, and how much later the response was written: agents may write it first
    st.lists(st.integers(0, 1100), max_size=8),
    st.integers(1, 4),
)
def test_each_request_is_counted_once_whenever_it_is_checked(
    asked: Sequence[tuple[int, int | None]], checks: Sequence[int], batch: int
) -> None:
    objects = Objects()
    by_time: dict[int, list[dict[str, str]]] = {}
    for number, (at, later) in enumerate(asked):
        by_time.setdefault(at, []).append(event(str(number), "request"))
        if later is not None:
            by_time.setdefault(max(0, at + later), []).append(event(str(number), "response"))
    for at, events in by_time.items():
        for start in range(0, len(events), batch):
            objects.put(float(at), events[start : start + batch])
    times = [-100.0, *map(float, sorted(set(checks))), 2000.0]
    found = [one for since, until in itertools.pairwise(times) for one in read(objects, since, until)]
    assert sorted(int(one.request.id) for one in found) == list(range(len(asked)))
    failed = {int(one.request.id) for one in found if one.response is None}
    assert failed == {number for number, (_, later) in enumerate(asked) if later is None}


def test_predictions_are_read_from_both_protocols() -> None:
    assert predictions_of(b'{"predictions": [1, 0]}') == [1, 0]
    assert predictions_of(b'{"outputs": [{"name": "predict", "shape": [2], "data": [0.5, 1]}]}') == [0.5, 1]
    for other in (b"", b"[]", b"{}", b"7", b'{"outputs": []}', b'{"predictions": null}', b"\xff"):
        assert list(predictions_of(other)) == []


# -- what pods do about alarms

SPEC = MonitorSpec("churn", "churn", "churn-data@1", (Rule("drift", 0.2),), then=("alert", "retrain:train"))
ALARM = Alarm(1, "drift", 10.0, "drift of age")


def states(actions: Sequence[Action]) -> list[tuple[str, str, int]]:
    return [(one.text, one.state, one.attempt) for one in actions]


def test_an_alarm_retrains_once_in_the_run_that_has_found_it() -> None:
    actions, retrains = answered(SPEC, (ALARM,), (), "run-1", 20.0)
    assert retrains
    assert states(actions) == [("alert", "done", 1), ("retrain:train", "started", 1)]
    done = retrained(actions, "run-1", 30.0)
    assert states(done) == [("alert", "done", 1), ("retrain:train", "done", 1)]
    assert answered(SPEC, (ALARM,), done, "run-2", 40.0) == (done, False)


def test_a_retraining_that_was_not_completed_has_failed_and_is_tried_again_after_the_cooldown() -> None:
    begun, _ = answered(SPEC, (ALARM,), (), "run-1", 20.0)
    failed, retrains = answered(SPEC, (ALARM,), begun, "run-2", 620.0)
    assert not retrains
    assert failed[1].detail == "run run-1 did not complete the retraining"
    later = 620.0 + SPEC.cooldown + 1
    again, retrains = answered(SPEC, (ALARM,), failed, "run-3", later)
    assert retrains
    assert states(again)[-1] == ("retrain:train", "started", 2)


def test_a_dry_run_retrains_nothing() -> None:
    actions, retrains = answered(replace(SPEC, dry_run=True), (ALARM,), (), "run-1", 20.0)
    assert not retrains
    assert states(actions) == [("alert", "done", 1), ("retrain:train", "planned", 1)]
