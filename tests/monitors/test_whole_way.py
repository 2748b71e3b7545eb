"""The whole way: a served model, a shift, an alarm, retraining, a comparison, a canary, a promotion."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_samples import COLUMNS, people

import kfnb
from kfnb.resources.monitors.model import MonitorState
from tests.conftest import Shell

pytestmark = pytest.mark.slow

TRAIN = """%%kf_component train --data data=churn-data
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
columns = ["age", "income", "noise"]
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data[columns], data["y"])
kf.save(model, "churn", example=data[columns], accuracy=float(model.score(data[columns], data["y"])))
"""


def until(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.2)
    return found


def test_from_a_shift_to_a_new_default(shell: Shell, home: Path) -> None:  # noqa: PLR0915 - one long way
    random = np.random.default_rng(0)
    kfnb.add_data("churn-data", people(random, 3000))
    shell.run(TRAIN)
    shell.run("%kf_pipeline churn_train train")
    shell.submit("churn_train")
    kfnb.model("churn").promote()
    service = kfnb.serve("churn@champion").wait(60)
    monitor = shell.run(
        "%kf_monitor churn --baseline churn-data@1 --drift 0.2 --metric accuracy --below 0.85 --window 1h --every 1h"
        " --then alert --then retrain:churn_train --then compare --then canary:50 --then promote:10"
    )
    assert monitor.reports == ()

    monitor.pause()  # the test looks by itself

    def look(rows: int, **how: float) -> MonitorState:
        """Ask for rows, tell what was true, and look at a window of them."""
        table = people(random, rows, **how)
        service.feedback(service.ask(table[COLUMNS]), [table.y.tolist()])
        time.sleep(4)  # two thirds of an hour on the clock
        monitor.check()
        return monitor.state

    assert look(1000) is MonitorState.OK
    kfnb.add_data("churn-data", people(random, 3000, older=15))
    assert look(3000, older=15) is MonitorState.WARNING
    assert [one.state for one in monitor.actions] == []
    assert look(3000, older=15) is MonitorState.ALARM
    first, *_ = monitor.alarms
    assert (first.rule, first.until) == ("drift", None)
    assert "age" in first.evidence
    told, retraining = monitor.actions[:2]
    assert (told.text, told.state) == ("alert", "done")
    assert (retraining.text, retraining.state) == ("retrain:churn_train", "started")
    kfnb.run(retraining.run).wait(120)
    monitor.check()
    until(lambda: service.snapshot().settled)
    made = kfnb.model("churn@candidate")
    assert (made.version, made.run, made.data) == (2, retraining.run, ("churn-data@2",))
    assert made.history[0].because.startswith("monitor churn, alarm 1: drift of age")
    monitor.check()
    states = {one.text: one.state for one in monitor.actions if one.alarm == 1}
    assert states["compare"] == "done", monitor.actions
    assert states["canary:50"] == "done"
    assert states["promote:10"] == "waiting"
    for _ in range(60):  # of 100 in a row the canary gets 50, so at least 10 of these
        service.predict(people(random, 1, older=15)[COLUMNS])
    until(lambda: service.snapshot().revisions[1].counters.requests >= 10)
    monitor.check()
    assert kfnb.model("churn@champion").version == 2
    assert service.wait(60).versions == ("churn@2",)
    assert service.history[0].because.startswith("monitor churn, alarm 1")
    assert all(one.state in ("done", "held", "skipped") for one in monitor.actions), monitor.actions
    look(3000, older=15)
    assert all(one.until for one in monitor.alarms), "the new version was made of such data"
    assert monitor.reports[-1].version == "churn@2"
    look(3000, older=15)
    assert monitor.state is MonitorState.OK
    assert len(kfnb.runs()) == 2, "it retrained once"
