"""A monitor's data as JSON, and back. Fields that a newer kfnb has written are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from kfnb.resources.monitors.model import (
    Action,
    Alarm,
    ColumnDrift,
    Finding,
    MetricValue,
    MonitorSpec,
    MonitorState,
    Report,
    Rule,
    RuleState,
    SkewCause,
)
from kfnb.resources.monitors.panes import Pane
from kfnb.resources.monitors.reference import MonitorReference

T = TypeVar("T")

_NARROW = tuple(one.name for one in fields(ColumnDrift))
"""A report may have hundreds of columns: each is a list in this order."""


def known(cls: type[T], stored: Mapping[str, Any]) -> T:
    """A ``cls`` of those values that it has fields for; lists become tuples. Raises ``TypeError`` if one is missing."""
    names = {one.name for one in fields(cls)}  # type: ignore[arg-type]
    plain = {name: _tuple(value) for name, value in stored.items() if name in names}
    return cls(**plain)


def _tuple(value: Any) -> Any:
    return tuple(_tuple(one) for one in value) if isinstance(value, list) else value


def spec_of(stored: Mapping[str, Any]) -> MonitorSpec:
    """A spec. Raises ``TypeError``, ``KeyError``."""
    return known(MonitorSpec, {**stored, "rules": tuple(known(Rule, one) for one in stored["rules"])})


def report_as_json(report: Report) -> dict[str, Any]:
    """A report without its columns."""
    return asdict(replace(report, columns=()))


def columns_as_json(report: Report) -> list[list[Any]]:
    """The columns of a report."""
    return [[getattr(one, name) for name in _NARROW] for one in report.columns]


def report_of(stored: Mapping[str, Any]) -> Report:
    """A report without its columns. Raises ``TypeError``, ``KeyError``."""
    parts = {
        "columns": (),
        "metrics": tuple(known(MetricValue, one) for one in stored["metrics"]),
        "findings": tuple(known(Finding, one) for one in stored["findings"]),
        "causes": tuple(known(SkewCause, one) for one in stored.get("causes", ())),
        "estimates": tuple(known(MetricValue, one) for one in stored.get("estimates", ())),
    }
    return known(Report, {**stored, **parts})


def columns_of(stored: Sequence[Sequence[Any]]) -> tuple[ColumnDrift, ...]:
    """The columns of a report. Raises ``TypeError``."""
    return tuple(ColumnDrift(*(_tuple(value) for value in one[: len(_NARROW)])) for one in stored)


def rule_state_of(stored: Mapping[str, Any]) -> RuleState:
    """The state of a rule. Raises ``TypeError``, ``KeyError``, ``ValueError``."""
    finding = None if stored["finding"] is None else known(Finding, stored["finding"])
    return known(RuleState, {**stored, "state": MonitorState(stored["state"]), "finding": finding})


def alarm_of(stored: Mapping[str, Any]) -> Alarm:
    """An alarm. Raises ``TypeError``."""
    return known(Alarm, stored)


def action_of(stored: Mapping[str, Any]) -> Action:
    """An action. Raises ``TypeError``."""
    return known(Action, stored)


def pane_of(stored: Mapping[str, Any]) -> Pane:
    """A pane. Raises ``TypeError``."""
    profiles = {name: stored.get(name) or {} for name in ("inputs", "predictions", "training", "problems")}
    plain = {name: value for name, value in stored.items() if name not in profiles}
    return Pane(**{**vars(known(Pane, plain)), **profiles})


def reference_of(stored: Mapping[str, Any]) -> MonitorReference:
    """A reference. Raises ``TypeError``."""
    names = (
        "profile",
        "predictions",
        "training",
        "importances",
        "usual",
        "spread",
        "features",
        "hours",
        "calibration",
    )
    mappings = {name: stored.get(name) or {} for name in names}
    plain = {name: value for name, value in stored.items() if name not in mappings}
    return MonitorReference(**{**vars(known(MonitorReference, {**plain, "profile": {}})), **mappings})
