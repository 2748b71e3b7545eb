"""What a monitor shows: charts with the limits of their own rules, distributions in bins of their own."""

from __future__ import annotations

import pandas as pd

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.model import (
    Action,
    Alarm,
    Finding,
    MetricValue,
    MonitorSpec,
    MonitorState,
    Report,
    Rule,
)
from kfnb.resources.monitors.snapshot import MonitorSnapshot
from kfnb.resources.monitors.view.distributions import Distributions, distributions
from kfnb.resources.monitors.view.monitor import draw_monitor
from kfnb.resources.monitors.view.timeline import time_line
from kfnb.ui.blocks import Row, Section
from kfnb.ui.plot import Plot

RULES = (Rule("score", 0.25), Rule("drop", 0.02, "accuracy"))


def report(until: float, score: float, limit: float, accuracy: float | None = None) -> Report:
    known = accuracy is not None
    return Report(
        until - 1,
        until,
        500,
        score=score,
        metrics=(MetricValue("accuracy", accuracy, accuracy, accuracy, 500),) if accuracy is not None else (),
        findings=(
            Finding("score", score > limit, score, limit, ""),
            Finding("drop accuracy", False if known else None, accuracy, 0.78 if known else 0.02, ""),
        ),
        baseline="days@2",
    )


def snapshot(
    *reports: Report, alarms: tuple[Alarm, ...] = (), actions: tuple[Action, ...] = ()
) -> MonitorSnapshot:
    spec = MonitorSpec("rain", "rain", "days@1", RULES)
    return MonitorSnapshot(spec, MonitorState.OK, reports=reports, alarms=alarms, actions=actions)


def charts(now: MonitorSnapshot) -> dict[str, Plot]:
    (section,) = time_line(now)
    assert isinstance(section, Section)
    (row,) = section.blocks
    assert isinstance(row, Row)
    plots = [one for one in row.blocks if isinstance(one, Plot)]
    return {one.title: one for one in plots}


def test_a_limit_is_drawn_as_it_was_in_each_window_and_only_where_it_could_be_judged() -> None:
    before = report(0, 0.1, 0.25, 0.8), report(10, 0.2, 0.25, 0.79)
    after = report(20, 0.3, 0.6, 0.78), report(30, 0.3, 0.6)
    found = charts(snapshot(*before, *after))
    line, limit = found["Drift weighted by importance"].lines
    assert [value for _, value in line.points] == [0.1, 0.2, 0.3, 0.3]
    assert [value for _, value in limit.points] == [0.25, 0.25, 0.6, 0.6]
    _, limit = found["Accuracy"].lines
    assert {value for _, value in limit.points} == {0.78}


def test_the_axis_has_the_unit_of_what_it_shows() -> None:
    names = [
        charts(snapshot(report(0, 0.1, 0.25), report(span, 0.2, 0.25)))["Drift weighted by importance"].x.name
        for span in (10, 300, 7200, 86400 * 3)
    ]
    assert names == [f"{unit} before the last window" for unit in ("seconds", "minutes", "hours", "days")]


def test_a_chart_has_the_alarms_of_its_own_rules() -> None:
    alarms = (Alarm(1, "score", 5.0, "far"), Alarm(2, "drop accuracy", 6.0, "wrong"))
    found = charts(snapshot(report(0, 0.1, 0.25, 0.8), report(10, 0.3, 0.25, 0.7), alarms=alarms))
    labels = {
        name: [line.label for line in one.lines if line.label.startswith("alarm")]
        for name, one in found.items()
    }
    assert labels == {"Drift weighted by importance": ["alarm 1"], "Accuracy": ["alarm 2"]}


def test_it_names_the_data_that_the_newest_window_was_compared_with_and_the_newest_action_first() -> None:
    actions = (Action(1, 0, "retrain:x", "done", 1.0, 9.0), Action(2, 0, "alert", "done", 3.0, 3.0))
    text = draw_monitor(snapshot(report(0, 0.1, 0.25), actions=actions))["text/plain"]
    assert "baseline days@2" in text
    assert text.index("retrain:x") < text.index("alert")


def drawn(before: pd.Series, now: pd.Series) -> Distributions:
    reference = kfnb_profile(before.to_frame("x"))
    counter = kfnb_Counter(reference)
    counter.add(now.to_frame("x"))
    found = distributions(reference["columns"][0], counter.profile()["columns"][0])
    assert found is not None
    return found


def test_bins_whose_edges_look_alike_are_apart() -> None:
    numbers = pd.Series(range(1_000_000, 1_002_000), dtype=float)
    found = drawn(numbers, numbers + 1000)
    assert len(found.bins) > 10
    assert sum(found.before) > 0.99
    assert sum(found.now) > 0.99
    assert found.now[0] == 0


def test_there_is_no_bar_for_missing_and_other_values_where_there_are_none() -> None:
    assert drawn(pd.Series(["a", "b"] * 200), pd.Series(["a"] * 300)).bins == ("a", "b")
    assert drawn(pd.Series(["a", "b"] * 200), pd.Series(["a", None] * 150)).bins == ("a", "b", "missing")
