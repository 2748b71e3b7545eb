"""Monitors where users look: in the status, beside services and models, and in the lineage of what they led to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kfnb
from kfnb import settings as config
from kfnb.commands.display import as_json, bundle
from kfnb.errors import BackendUnavailable
from kfnb.jobs.polling import Pace
from kfnb.live.followables import Followable
from kfnb.resources.monitors import watching
from kfnb.resources.monitors.local import folder as folders
from kfnb.resources.monitors.model import (
    Action,
    Alarm,
    Finding,
    MonitorOutline,
    MonitorSpec,
    MonitorState,
    Report,
    Rule,
    RuleState,
)
from kfnb.resources.monitors.transitions import Standing
from kfnb.resources.services.model import DesiredState, ServiceList, ServiceMove, ServiceSnapshot, Target
from kfnb.resources.services.view.service import draw_service, sections
from kfnb.resources.services.view.services import draw_services
from kfnb.resources.services.watched import WatchedService
from kfnb.resources.services.wire import ServiceWire

AT = 1_800_000_000.0
EVIDENCE = "drift of age (1.2, limit 0.2)"
ALARM = Alarm(1, "drift", AT, EVIDENCE)
WATCHING = MonitorOutline(
    "nightly", "churn", MonitorState.ALARM, AT, "churn@1", AT, (ALARM,), evidence=EVIDENCE
)


def a_service(*monitors: MonitorOutline) -> ServiceSnapshot:
    target = Target("churn", 1, "", "", "local", 1, "default", 100)
    desired = DesiredState(1, (target,), ServiceMove(1, AT, "me", "serve", ""))
    return ServiceSnapshot("churn", "local", desired, monitors=monitors)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KFNB_BACKEND", "local")
    config.reset(start=tmp_path)
    yield tmp_path / "home"
    config.reset()


@pytest.fixture
def monitor(home: Path) -> str:
    """A monitor of the service ``churn``, whose alarm has led to a retraining, a canary and a promotion."""
    for number in (1, 2):
        kfnb.add_data("churn-data", pd.DataFrame({"age": [number], "y": [0]}))
        kfnb.register({"weights": [number]}, "churn", data=f"churn-data@{number}", pickle=True)
    folder = folders.made(home, "nightly")
    folder.record(MonitorSpec("nightly", "churn", "churn-data@1", (Rule("drift", 0.2),), created=AT))
    finding = Finding("drift", exceeded=True, value=1.2, limit=0.2, evidence=EVIDENCE)
    report = Report(AT - 60, AT - 1, 900, 9, "churn@1", findings=(finding,), baseline="churn-data@1")
    folder.records.find(report, Standing((RuleState("drift", MonitorState.ALARM, AT, finding),), (ALARM,)))
    done: list[tuple[str, str, str]] = [
        ("alert", "", ""),
        ("retrain:churn_train", "261124-063723-412k", "churn@2"),
        ("canary:1", "", "churn@2"),
        ("promote", "", "churn@2"),
    ]
    for place, (text, run, version) in enumerate(done):
        folder.records.act(Action(1, place, text, "done", AT + place, AT + place + 1, "done", run, version))
    return "nightly"


def test_an_alarm_is_a_problem_of_the_status(monitor: str) -> None:
    status = kfnb.status()
    assert [one.name for one in status.monitors.value or ()] == [monitor]
    problem = next(one for one in status.troubles if "alarm" in one.what)
    assert (problem.what, problem.why) == ("monitor nightly: alarm of drift", EVIDENCE)
    assert problem.fix == "%kf_monitors show nightly"
    assert not status.healthy
    gone = next(one for one in status.troubles if "no data" in one.what)
    assert gone.why == "service churn does not exist"
    shown = bundle(status)
    assert "Monitors" in shown["text/plain"]
    assert EVIDENCE in shown["text/html"]
    printed = json.loads(as_json(status))["monitors"]
    assert printed["knowledge"] == "known"
    assert printed["value"][0]["alarms"][0]["evidence"] == EVIDENCE


def test_monitors_that_cannot_be_known_are_not_those_that_are_not_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(backend: str | None = None) -> Any:
        raise BackendUnavailable("the server is away")

    monkeypatch.setattr(watching.api, "outlines", away)
    status = kfnb.status()
    assert (status.monitors.known, status.monitors.reason) == (False, "the server is away")
    assert "Monitors: the server is away" in bundle(status)["text/plain"]


def test_a_slow_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    end = threading.Event()

    def slow(backend: str | None = None) -> tuple[MonitorOutline, ...]:
        end.wait(30)
        return ()

    monkeypatch.setattr(watching.api, "outlines", slow)
    monkeypatch.setattr(watching, "WITHIN", 0.01)
    question = watching.MonitorQuestion("local")
    assert question.answer().unknown.startswith("no answer within")
    end.set()


def test_a_service_shows_its_monitors() -> None:
    other = replace(WATCHING, name="hourly", state=MonitorState.OK, alarms=(), evidence="", paused=True)
    shown = draw_service(a_service(WATCHING, other))
    for words in ("nightly", "✗ Alarm", "drift of age", "hourly", "OK (paused)"):
        assert words in shown["text/plain"], words
    assert EVIDENCE in shown["text/html"]
    assert "Monitors" not in draw_service(a_service())["text/plain"]
    table = draw_services([a_service(WATCHING, other), a_service()])["text/plain"]
    assert "✗ Alarm (2)" in table
    assert "Monitor" not in draw_services([a_service()])["text/plain"]


def test_the_page_gets_the_monitors_of_a_service_when_they_change() -> None:
    before, now = a_service(), a_service(WATCHING)
    (part,) = ServiceWire().change(before, now).parts
    assert part["id"] == "monitors"
    assert EVIDENCE in part["html"]
    assert [one.id for one in sections(now)] == [one.id for one in sections(before)]


def test_a_service_that_is_followed_asks_for_its_monitors_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str | None] = []

    def outlines(backend: str | None = None) -> tuple[MonitorOutline, ...]:
        asked.append(backend)
        return (WATCHING, replace(WATCHING, service="another"))

    class Handle:
        backend, name, pace = "local", "churn", Pace(1.0, 60.0)

        def snapshot(self) -> ServiceSnapshot:
            return a_service()

    monkeypatch.setattr(watching.api, "outlines", outlines)
    row = Followable("service", Handle, name=lambda one: one.name, draw=draw_service)
    followed = WatchedService(row, Handle())  # type: ignore[arg-type] - as much of a service as is asked for
    assert followed.refresh()
    assert followed.shown.monitors == (WATCHING,)
    assert not followed.refresh()
    assert asked == ["local"], "not at each poll"


def test_services_are_listed_with_their_monitors(monitor: str) -> None:
    listed = ServiceList([a_service()])
    assert "○ No data" in bundle(listed)["text/plain"]
    (printed,) = json.loads(as_json(listed))
    assert [one["name"] for one in printed["monitors"]] == [monitor]


def test_the_page_of_a_model_shows_who_watches_it(monitor: str) -> None:
    shown = bundle(kfnb.model("churn@2"))["text/plain"]
    assert "Monitors" in shown
    assert monitor in shown
    assert "churn@1" in shown
    kfnb.register({"weights": [3]}, "other", pickle=True)
    assert "Monitors" not in bundle(kfnb.model("other"))["text/plain"]
    printed = json.loads(as_json(kfnb.model("churn@1")))
    assert [one["version"] for one in printed["monitors"]] == ["churn@1"]


def test_lineage_leads_from_the_report_to_the_promotion(monitor: str) -> None:
    found = kfnb.lineage(f"monitor:{monitor}")
    edges = {(edge.source, edge.name, edge.target) for edge in found.edges}
    data, first, second = (
        next(node.id for node in found.nodes if ref in node.refs)
        for ref in ("churn-data@1", "churn@1", "churn@2")
    )
    run = f"monitor:{monitor}"
    report = next(node.id for node in found.nodes if node.type == "Report")
    retraining = f"{run}/alarm 1, retrain:churn_train"
    assert {
        (data, "baseline", f"{run}/alarm 1"),
        (first, "served", f"{run}/alarm 1"),
        (f"{run}/alarm 1", "report", report),
        (report, "report", retraining),
        (retraining, "candidate", second),
        (second, "candidate", f"{run}/alarm 1, canary:1"),
        (second, "candidate", f"{run}/alarm 1, promote"),
    } <= edges
    assert not any("alert" in node.name for node in found.nodes)
    assert found.node(retraining).parameters["run"] == "261124-063723-412k"
    assert found.node(report).properties == {"rule": "drift", "evidence": EVIDENCE}
    shown = bundle(kfnb.lineage("churn@2"))["text/html"]
    for words in ("alarm 1, retrain:churn_train", "report of alarm 1", "alarm 1, promote"):
        assert words in shown, words


def test_lineage_knows_what_an_alarm_has_led_to_since(monitor: str, home: Path) -> None:
    kfnb.lineage("churn@1")
    late = Action(1, 4, "rollback", "failed", AT + 9, AT + 9, "no version before", "", "churn@1")
    folders.find(home, monitor).records.act(late)
    node = kfnb.lineage("churn@1").node(f"monitor:{monitor}/alarm 1, rollback")
    assert (str(node.state), node.error) == ("FAILED", "no version before")


def test_lineage_takes_a_monitors_handle(monitor: str) -> None:
    from kfnb.resources.monitors.api import find_monitor

    assert kfnb.lineage(find_monitor(monitor)).subjects == kfnb.lineage(f"monitor:{monitor}").subjects
