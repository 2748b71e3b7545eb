"""Monitors where things go wrong: killed in a check, a full disk, a clock that is put back, a million categories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kfnb
from kfnb import clock
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.evaluation import Window, report_of
from kfnb.resources.monitors.hysteresis import separate
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report
from kfnb.resources.monitors.panes import PaneCounter, RequestBlock, together
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.rules import RuleOptions
from kfnb.resources.monitors.skew.causes import likely_causes
from kfnb.resources.monitors.skew.evidence import SkewEvidence, columns_of

Ask = Callable[..., None]
OFTEN = {"window": "2h", "every": "2h"}

KILLED = """
import os, signal
from kfnb.resources.monitors.api import find_monitor
from kfnb.resources.monitors.local.records import MonitorRecords

MonitorRecords.find = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
find_monitor("churn").check()
"""
FULL = """
import resource
from kfnb.errors import KfnbError
from kfnb.resources.monitors.api import find_monitor

monitor = find_monitor("churn")
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    monitor.check()
except KfnbError as error:
    print(error)
"""


def executed(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ,
    )


@pytest.mark.slow
def test_a_check_that_is_killed_loses_nothing_and_counts_nothing_twice(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", **OFTEN)
    monitor.pause()
    ask(300)
    ended = executed(KILLED)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    report = monitor.check()  # no lock is left
    assert (report.rows, report.requests) == (300, 1)
    assert len(monitor.reports) == 1
    assert monitor.state is MonitorState.OK


@pytest.mark.slow
def test_a_disk_that_is_full_is_one_message_and_the_service_answers(churn: Any, ask: Ask) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", **OFTEN)
    monitor.pause()
    ask(300)
    ended = executed(FULL)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 1
    assert "monitor.db" in ended.stdout
    ask(10)
    assert monitor.check().rows == 310


@pytest.mark.slow
def test_a_clock_that_is_put_back_makes_no_monitor_blind(churn: Any, ask: Ask, tmp_path: Path) -> None:
    monitor = kfnb.monitor(churn, baseline="churn-data@1", **OFTEN)
    monitor.pause()
    ask(300)
    assert monitor.check().rows == 300
    clock.set_clock(tmp_path / "clock", rate=600.0, at=clock.now() - 30 * 86_400.0)
    ask(400)
    report = monitor.check()
    assert report.rows >= 400, "requests are counted again"
    again = monitor.check()
    assert again.rows == report.rows, "and each once"
    time.sleep(13)  # more than two hours
    assert monitor.check().rows == 0


def test_windows_before_a_clock_was_put_back_are_windows() -> None:
    reports = [Report(0, until, 300) for until in (90_000.0, 93_600.0, 3600.0, 3700.0, 7200.0)]
    assert [one.until for one in separate(reports, 3600.0)] == [90_000.0, 93_600.0, 3700.0, 7200.0]


def test_categories_by_the_million_are_counted_in_little_room() -> None:
    rows = 1_000_000
    table = pd.DataFrame({"user": np.char.add("user-", np.arange(rows).astype(str))})
    reference = MonitorReference("data@1", "churn@1", kfnb_profile(table), ("user",), source="data@1")
    counters = [PaneCounter(reference, at, at + 1.0) for at in (0.0, 1.0)]
    for place, counter in enumerate(counters):
        counter.add(RequestBlock(rows, 0, (), None, table.assign(user=f"{place}-" + table.user)))
    panes = [one.pane() for one in counters]
    assert len(json.dumps(asdict(panes[0]))) < 20_000
    report = report_of(
        MonitorSpec("churn", "churn", "data@1", RuleOptions().rules()),
        reference,
        Window(together(panes), (), 2, 0),
    )
    assert report.rows == 2 * rows
    assert len(json.dumps(asdict(report))) < 20_000
    served = {"user": table.user[:2000].tolist()}
    assert likely_causes(SkewEvidence(tuple(columns_of("input", reference.profile, served, {})))) == ()
