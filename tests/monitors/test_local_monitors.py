"""Monitors here: made, checked by hand and by the clock, changed, shown, deleted; and what goes wrong."""

from __future__ import annotations

import json
import stat
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from monitor_samples import COLUMNS, people

import kfnb
from kfnb import clock
from kfnb.cli import main
from kfnb.commands.display import as_json, bundle
from kfnb.errors import BackendError, KfnbError, NotFound, UsageError
from kfnb.jobs.scheduler import control
from kfnb.jobs.scheduler.folder import existing
from kfnb.resources.monitors.api import find_monitor
from kfnb.resources.monitors.model import MonitorState

pytestmark = pytest.mark.slow

Ask = Callable[..., None]
OFTEN = {"window": "1h", "every": "1h"}


def until(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.2)
    return found


def test_a_check_reports_and_the_monitor_shows_it(churn: Any, ask: Ask, home: Path) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", metric="accuracy", slices=["noise"], **OFTEN)
    monitor.pause()
    assert (monitor.name, monitor.state, monitor.reports) == ("churn", MonitorState.NO_DATA, ())
    assert "Not checked yet" in bundle(monitor)["text/plain"]
    ask(1000)
    report = monitor.check()
    assert (report.rows, report.requests, report.version) == (1000, 1, "churn@1")
    assert set(report.drift) == set(COLUMNS)
    assert max(report.drift.values()) < 0.1
    assert 0.85 < report.performance["accuracy"] < 1
    assert report.score is not None
    assert report.score < 0.1
    assert report.to_frame().column.tolist() == [one.name for one in report.columns]
    assert monitor.state is MonitorState.OK
    shown = bundle(monitor)["text/plain"]
    assert "✓ OK" in shown
    assert "drop accuracy" in shown
    assert json.loads(as_json(monitor))["state"] == "OK"
    assert [one.name for one in kfnb.monitors()] == ["churn"]
    assert "churn" in bundle(kfnb.monitors())["text/plain"]
    assert "churn@1 · 1,000 rows of 1 requests" in bundle(report)["text/plain"]
    for file in (home / "monitors" / "churn").rglob("*"):
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file


def test_checks_are_made_by_the_clock_until_it_is_paused(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", window="6h", every="1h")
    ask(500)
    until(lambda: monitor.reports)  # an hour is 6 seconds
    first = until(lambda: [one for one in monitor.reports if one.rows])
    assert first[0].rows == 500
    monitor.pause()
    assert monitor.snapshot().paused
    time.sleep(1)
    count = len(monitor.reports)
    time.sleep(8)
    assert len(monitor.reports) == count
    monitor.resume()
    until(lambda: len(monitor.reports) > count)


def test_windows_are_counted_once_and_forgotten(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", drift=0.2, no_traffic="1d", **OFTEN)
    monitor.pause()
    ask(300)
    assert monitor.check().rows == 300
    assert monitor.check().rows == 300
    time.sleep(7)  # more than an hour
    report = monitor.check()
    assert report.rows == 0
    traffic = next(one for one in report.findings if one.rule == "traffic")
    assert traffic.evidence.endswith(" ago"), "the last request is known after it has left the window"
    assert monitor.state is MonitorState.NO_DATA
    assert "0 rows of 200" in report.findings[0].evidence


def test_what_is_refused_for_its_inputs_is_told_and_compared(
    churn: Any, ask: Ask, random: np.random.Generator
) -> None:
    from sklearn.linear_model import LogisticRegression

    known = people(random, 3000)
    model = LogisticRegression().fit(known[COLUMNS], known.y)
    kfnb.register(model, "churn", example=known[COLUMNS])  # which knows the ranges of its columns
    kfnb.serve("churn@2").wait(60)
    monitor = kfnb.monitor(churn, baseline="churn-data@1", drift=0.2, **OFTEN)
    monitor.pause()
    table = people(random, 143)[COLUMNS].assign(income=lambda one: one.income * 1000)
    for _ in range(21):
        with pytest.raises(KfnbError, match="income"):
            churn.ask(table)
    ask(1000)
    report = monitor.check()
    assert (report.rows, report.requests) == (1000 + 21 * 143, 22)
    assert report.drift["income"] > 1
    assert "21 of 22 requests were refused: out-of-range income" in report.notes
    assert [one.state for one in monitor.snapshot().rules] == [MonitorState.WARNING] * 2


def test_labels_stay_when_the_same_version_is_served_again(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", metric="accuracy", window="1d", every="1d")
    monitor.pause()
    ask(1000)
    kfnb.serve("churn@1", on_bad_input="log").wait(60)
    report = monitor.check()
    assert "of 1,000 labels" in report.findings[0].evidence
    assert report.prediction is not None, "predictions are the version's too"


def test_labels_of_the_version_before_are_labels_of_the_service(
    churn: Any, ask: Ask, random: np.random.Generator
) -> None:
    from sklearn.dummy import DummyClassifier

    table = people(random, 500)
    kfnb.register(DummyClassifier().fit(table[COLUMNS], table.y), "churn", data=kfnb.dataset("churn-data@1"))
    monitor = kfnb.monitor(churn, baseline="churn-data@1", no_labels="1d", **OFTEN)
    monitor.pause()
    ask(300)
    kfnb.serve("churn@2").wait(60)
    found = next(one for one in monitor.check().findings if one.rule == "labels")
    assert found.evidence.endswith(" ago"), found.evidence


def test_a_monitor_may_be_changed_and_keeps_what_it_found(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", drift=0.2, **OFTEN)
    ask(300)
    monitor.check()
    again = kfnb.monitor(churn, baseline="churn-data@1", drift=0.5, **OFTEN)
    again.pause()
    assert len(again.reports) >= 1
    assert [one.limit for one in again.snapshot().spec.rules] == [0.5, 0.05]


def test_an_alarm_leads_to_its_steps_once(churn: Any, ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "alarms.jsonl"
    script = tmp_path / "keep"
    script.write_text(f"#!/bin/sh\ncat >> {out}\necho >> {out}\n")
    script.chmod(0o700)
    monitor = kfnb.monitor(
        churn, baseline="churn-data@1", then=[f"alert:{script}", "call:json:dumps", "compare"], **OFTEN
    )
    monitor.pause()
    for _ in range(3):
        ask(2000, older=15)
        monitor.check()
    assert monitor.state is MonitorState.ALARM
    lines = [json.loads(line) for line in out.read_text().splitlines() if line]
    alarms = [one for one in lines if one["event"] == "ALARM"]
    assert len(alarms) == len(monitor.alarms), "an alarm is reported once, not at each check"
    assert alarms[0]["rule"] == "drift"
    assert "age" in alarms[0]["evidence"]
    first = [one for one in monitor.actions if one.alarm == 1]
    assert [(one.text.partition(":")[0], one.state) for one in first] == [
        ("alert", "done"),
        ("call", "done"),
        ("compare", "failed"),
    ]
    assert "no step before it has made a version" in first[-1].detail
    assert [one for one in lines if one["event"] == "FAILED"], "a step that fails is reported too"
    assert {one.state for one in monitor.actions if one.alarm > 1 and one.place} <= {"held", "skipped"}


def test_a_dry_run_only_tells(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", then=["rollback"], dry_run=True, **OFTEN)
    monitor.pause()
    for _ in range(2):
        ask(2000, older=15)
        monitor.check()
    (first, *_) = monitor.actions
    assert first.state == "planned"
    assert first.detail == "dry run: it would end the canary, or go back to the default before"
    assert len(churn.history) == 1


def test_a_bad_version_is_rolled_back(churn: Any, ask: Ask, random: np.random.Generator) -> None:
    from sklearn.dummy import DummyClassifier

    table = people(random, 500)
    bad = DummyClassifier(strategy="constant", constant=True).fit(table[COLUMNS], table.y)
    kfnb.register(bad, "churn", data=kfnb.dataset("churn-data@1"), metrics={"accuracy": 0.93})
    monitor = kfnb.monitor(churn, baseline="churn-data@1", metric="accuracy", then="rollback", **OFTEN)
    monitor.pause()
    ask(1000)
    monitor.check()
    assert monitor.state is MonitorState.OK
    kfnb.serve("churn@2").wait(60)
    for _ in range(2):
        ask(1000)
        monitor.check()
    assert churn.wait(60).versions == ("churn@1",)
    assert churn.history[0].action == "rollback"
    assert churn.history[0].because.startswith("monitor churn, alarm 1: accuracy 0.")
    assert [(one.text, one.state, one.version) for one in monitor.actions] == [
        ("rollback", "done", "churn@1")
    ]


def test_the_command_fails_on_an_alarm_and_writes_junit(
    churn: Any, ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = main(
        [
            "monitor",
            "churn",
            "--baseline",
            "churn-data@1",
            "--drift",
            "0.2",
            "--window",
            "1h",
            "--every",
            "1h",
        ]
    )
    assert made == 0
    assert main(["monitors", "pause", "churn"]) == 0
    codes = []
    for _ in range(2):
        ask(2000, older=15)
        codes.append(main(["monitor", "check", "churn", "--junit", str(tmp_path / "junit.xml")]))
    assert codes == [0, 1]
    suite = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "age" in suite[0][0].get("message", "")
    capsys.readouterr()
    assert main(["monitors", "show", "churn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "ALARM"
    assert main(["monitors", "delete", "churn"]) == 0
    assert list(kfnb.monitors()) == []


def test_a_service_that_is_gone_is_an_error_of_the_monitor(churn: Any, ask: Ask, tmp_path: Path) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", **OFTEN)
    monitor.pause()
    ask(1000)
    monitor.check()
    assert monitor.state is MonitorState.OK
    churn.delete()
    assert monitor.state is MonitorState.NO_DATA, "also before the next check"
    with pytest.raises(BackendError, match="service churn does not exist"):
        monitor.check()
    now = monitor.snapshot()
    assert (now.state, now.error) == (MonitorState.NO_DATA, "service churn does not exist")
    assert "no data: service churn does not exist" in bundle(monitor)["text/plain"]
    assert "churn: service churn does not exist" in bundle(kfnb.monitors())["text/plain"]
    report = tmp_path / "junit.xml"
    assert main(["monitor", "check", "churn", "--junit", str(report)]) == 1
    suite = ET.parse(report).getroot()
    assert (suite.get("errors"), suite[0][0].get("message")) == ("1", "service churn does not exist")


def test_what_was_found_long_ago_is_not_the_state_of_now(
    churn: Any, ask: Ask, home: Path, tmp_path: Path
) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", **OFTEN)
    ask(500)
    monitor.check()
    assert monitor.state is MonitorState.OK
    clock.set_clock(tmp_path / "clock", rate=1.0, at=clock.now() + 86400.0)
    now = monitor.snapshot()
    assert now.state is MonitorState.NO_DATA
    assert now.error.endswith("%kf_monitors starts the checks again")
    until(lambda: not monitor.snapshot().error)  # the scheduler has noticed


def test_a_monitor_without_its_schedule_says_so(churn: Any, ask: Ask, home: Path) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", **OFTEN)
    ask(500)
    monitor.check()
    (schedule,) = existing(home)
    control.delete(schedule)
    now = monitor.snapshot()
    message = "the schedule of monitor churn is gone: make the monitor again"
    assert (now.state, now.error) == (MonitorState.NO_DATA, message)
    with pytest.raises(BackendError, match="make the monitor again"):
        monitor.resume()


def test_what_cannot_be_watched_is_refused(churn: Any, random: np.random.Generator) -> None:
    kfnb.add_data("short", people(random, 10))
    kfnb.add_data("other", pd.DataFrame({"x": np.arange(500.0)}))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"baseline": "short"}, "short@1 has 10 rows: windows are compared with at least 200"),
        ({"baseline": "other"}, "other@1 has no column age, income, noise, which churn@1 takes"),
        ({"baseline": "churn-data@1", "target": "z"}, "churn-data@1 has no column z"),
        ({"baseline": "churn-data@1", "every": "often"}, "'often' is not a duration"),
        ({"baseline": "churn-data@1", "then": "retran:x"}, "unknown step retran: did you mean retrain"),
        ({"baseline": "churn-data@1", "then": "retrain"}, "the pipeline is missing"),
        ({"baseline": "churn-data@1", "then": "canary"}, "a percentage is missing"),
        ({"baseline": "churn-data@1", "then": lambda _: None}, "is defined in the notebook"),
        ({"baseline": "churn-data@1", "name": "A B"}, "not a valid name for a monitor"),
        ({"baseline": "churn-data@1", "drift": "incme=0.2"}, "takes no column incme: did you mean income"),
        ({"baseline": "churn-data@1", "above": "mean_error=2"}, "churn@1 predicts classes"),
        ({"baseline": "churn-data@1", "detector": "magic"}, "detector=magic: must be windows or adwin"),
        (
            {"baseline": "churn-data@1", "metric": "recall", "detector": "adwin"},
            "detector=adwin: it finds a drop of accuracy, not of recall",
        ),
    ]
    for how, message in refused:
        with pytest.raises(UsageError, match=message):
            kfnb.monitor(churn, **how)
    with pytest.raises(NotFound):
        kfnb.monitor(churn, baseline="churn-data@9")
    assert list(kfnb.monitors()) == []
    with pytest.raises(NotFound, match="unknown monitor chrn"):
        find_monitor("chrn")
