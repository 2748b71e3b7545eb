"""From windows to states and alarms: warnings, alarms, their end, and what says nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.resources.monitors.hysteresis import overall, separate, state_after
from kfnb.resources.monitors.model import Finding, MonitorSpec, MonitorState, Report, Rule
from kfnb.resources.monitors.transitions import Standing, standing_after

OK, NO_DATA, WARNING, ALARM = (
    MonitorState.OK,
    MonitorState.NO_DATA,
    MonitorState.WARNING,
    MonitorState.ALARM,
)
SPEC = MonitorSpec("churn", "churn", "data@1", (Rule("drift", 0.2),), every=600.0)
FLAGS = {"t": True, "f": False, "-": None}


def after(flags: str) -> list[MonitorState]:
    """The state after each window: t is beyond the limit, f within it, - says nothing."""
    state, found = NO_DATA, []
    seen: list[bool | None] = []
    for letter in flags:
        seen.append(FLAGS[letter])
        state = state_after(state, seen)
        found.append(state)
    return found


@pytest.mark.parametrize(
    ("flags", "states"),
    [
        ("f", [OK]),
        ("t", [WARNING]),
        ("tt", [WARNING, ALARM]),
        ("tft", [WARNING, WARNING, ALARM]),
        ("tff", [WARNING, WARNING, WARNING]),
        ("tfff", [WARNING, WARNING, WARNING, OK]),
        ("-", [NO_DATA]),
        ("f-", [OK, NO_DATA]),
        ("t-t", [WARNING, NO_DATA, ALARM]),
        ("tt-", [WARNING, ALARM, ALARM]),
        ("ttf", [WARNING, ALARM, ALARM]),
        ("ttff", [WARNING, ALARM, ALARM, WARNING]),
        ("ttftf", [WARNING, ALARM, ALARM, ALARM, ALARM]),
    ],
)
def test_windows_make_states(flags: str, states: list[MonitorState]) -> None:
    assert after(flags) == states


@given(st.text("tf-", max_size=40))
def test_a_window_without_data_is_never_ok(flags: str) -> None:
    for letter, state in zip(flags, after(flags), strict=True):
        assert letter != "-" or state in (NO_DATA, ALARM)
        assert letter != "t" or state in (WARNING, ALARM)


@given(st.text("tf-", max_size=40))
def test_an_alarm_needs_two_windows_and_ends_by_two(flags: str) -> None:
    states = [NO_DATA, *after(flags)]
    for place, letter in enumerate(flags):
        before, now = states[place], states[place + 1]
        if now is ALARM and before is not ALARM:
            assert flags[: place + 1].replace("-", "")[-3:].count("t") >= 2
        if before is ALARM and now is not ALARM:
            assert (letter, flags[: place + 1].replace("-", "")[-2:]) == ("f", "ff")


def test_a_monitor_is_as_bad_as_its_worst_rule_and_not_ok_where_one_has_no_data() -> None:
    assert overall([OK, WARNING, NO_DATA]) is WARNING
    assert overall([OK, NO_DATA]) is NO_DATA
    assert overall([OK, ALARM, WARNING]) is ALARM
    assert overall([]) is NO_DATA


def report(until: float, exceeded: bool | None, version: str = "churn@1") -> Report:
    finding = Finding("drift", exceeded, 0.3, 0.2, "drift of age (0.3, limit 0.2)")
    return Report(until - 3600, until, 1000, version=version, findings=(finding,))


def stood(*reports: Report) -> list[Standing]:
    found, standing = [], Standing()
    for place, one in enumerate(reports):
        standing = standing_after(SPEC, standing, reports[:place], one, one.until)
        found.append(standing)
    return found


def test_two_checks_at_once_are_one_window() -> None:
    assert [one.until for one in separate([report(at, True) for at in (0, 10, 700, 1250)], 600)] == [
        10,
        700,
        1250,
    ]
    last = stood(report(0, True), report(10, True), report(20, True))[-1]
    assert last.rules[0].state is WARNING, "the same rows are not two windows"


def test_an_alarm_has_its_evidence_and_ends_once() -> None:
    flags = [True, True, False, True, False, False, False, True, True]
    last = stood(*(report(600.0 * at, one) for at, one in enumerate(flags)))[-1]
    assert [(one.number, one.since, one.until) for one in last.alarms] == [(1, 600, 3000), (2, 4800, None)]
    assert last.alarms[0].evidence == "drift of age (0.3, limit 0.2)"
    assert (last.rules[0].state, last.rules[0].since) == (ALARM, 4800)


def test_another_version_begins_anew() -> None:
    *_, before, now = stood(report(0, True), report(600, True), report(1200, None, "churn@2"))
    assert before.rules[0].state is ALARM
    assert now.rules[0].state is NO_DATA
    assert [one.until for one in now.alarms] == [1200]


def test_a_rule_that_is_new_has_no_past() -> None:
    other = replace(report(600, True), findings=(Finding("errors", True, 1, 0, "all failed"),))
    last = stood(report(0, True), other)[-1]
    assert [(one.rule, one.state) for one in last.rules] == [("errors", WARNING)]
