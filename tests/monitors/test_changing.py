"""A monitor is made again while one of its checks is about to begin: neither waits for the other."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb.jobs import system
from kfnb.jobs.scheduler import records
from kfnb.jobs.scheduler.folder import ScheduleFolder, existing
from kfnb.jobs.scheduler.order import TickOrder, start
from kfnb.resources.monitors.local.folder import MonitorFolder

pytestmark = pytest.mark.slow


def begun(schedule: ScheduleFolder) -> subprocess.Popen[bytes]:
    """A check of a schedule, which has begun."""
    process, end = start(schedule, TickOrder(1.0, by_hand=True)), time.monotonic() + 60
    while records.history(schedule).running is None:
        assert time.monotonic() < end, "the check does not begin"
        time.sleep(0.05)
    return process


def test_a_check_that_waits_while_its_monitor_is_made_again_ends_by_itself(
    churn: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kfnb.monitor(churn, baseline="churn-data@1", window="1h", every="9h").pause()
    (before,) = existing(home)
    checks: list[subprocess.Popen[bytes]] = []
    forget = MonitorFolder.forget_references

    def forget_while_a_check_waits(self: MonitorFolder) -> None:
        checks.append(begun(before))
        forget(self)

    with monkeypatch.context() as patched:
        patched.setattr(MonitorFolder, "forget_references", forget_while_a_check_waits)
        patched.setattr(system, "end_all", lambda tag: pytest.fail(f"the check {tag} was killed"))
        again = kfnb.monitor(churn, baseline="churn-data@1", window="1h", every="8h")
    again.pause()
    (check,) = checks
    assert check.wait(60) == 0
    assert again.reports == (), "its schedule was not the monitor's any more"
    assert [one.spec().timing.every for one in existing(home)] == [8 * 3600.0]
