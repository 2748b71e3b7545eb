"""What a new report changes: the state of each rule, alarms that begin, and alarms that end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kfnb.resources.monitors.hysteresis import separate, state_after
from kfnb.resources.monitors.model import (
    ONLY_WARNING,
    Alarm,
    Finding,
    MonitorSpec,
    MonitorState,
    Report,
    RuleState,
    rule_kind,
)

LOOKED_BACK = 10
"""Reports that are considered for the state of a rule: some of the last ones may have no data."""


@dataclass(frozen=True)
class Standing:
    """The states of a monitor's rules, and all of its alarms, the oldest first."""

    rules: tuple[RuleState, ...] = ()
    alarms: tuple[Alarm, ...] = ()


def standing_after(
    spec: MonitorSpec, before: Standing, earlier: Sequence[Report], report: Report, now: float
) -> Standing:
    """What holds after a report; ``earlier`` are the reports before, the oldest first.

    When another version is served, or rules have changed, what was found before says nothing: alarms end.
    """
    same = [one for one in earlier if one.version == report.version]
    fresh = bool(earlier) and not same
    known = {} if fresh else {one.rule: one for one in before.rules}
    windows = separate([*same[-LOOKED_BACK:], report], spec.every)
    rules = tuple(_state(known.get(one.rule), one, _flags(windows, one.rule), now) for one in report.findings)
    return Standing(rules, _alarms(before.alarms, {one.rule: one for one in rules}, now))


def _flags(windows: Sequence[Report], rule: str) -> list[bool | None]:
    found = [{one.rule: one.exceeded for one in report.findings} for report in windows]
    return [one.get(rule) for one in found]


def _state(before: RuleState | None, finding: Finding, flags: Sequence[bool | None], now: float) -> RuleState:
    old = MonitorState.NO_DATA if before is None else before.state
    new = state_after(old, flags)
    if new is MonitorState.ALARM and rule_kind(finding.rule) in ONLY_WARNING:
        new = MonitorState.WARNING
    since = before.since if before is not None and before.state is new else now
    return RuleState(finding.rule, new, since, finding)


def _alarms(alarms: Sequence[Alarm], rules: Mapping[str, RuleState], now: float) -> tuple[Alarm, ...]:
    in_alarm = {name: one for name, one in rules.items() if one.state is MonitorState.ALARM}
    found = [
        replace(one, until=now) if one.until is None and one.rule not in in_alarm else one for one in alarms
    ]
    lasting = {one.rule for one in found if one.until is None}
    for name, one in in_alarm.items():
        if name not in lasting:
            evidence = one.finding.evidence if one.finding else ""
            found.append(Alarm(1 + max((each.number for each in found), default=0), name, now, evidence))
    return tuple(found)
