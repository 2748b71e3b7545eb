"""The monitors of a home, for the index of lineage: each alarm is made of what was compared, and leads to steps.

An alarm is a task that took the baseline and the version that was served, and made a report. A step took the report,
and the candidate of the steps before it; a retraining made the candidate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from kfnb.catalog.records import (
    DATASET,
    MODEL,
    MONITOR,
    ArtifactRecord,
    Reading,
    RunContext,
    TaskExecution,
    Trace,
    Use,
)
from kfnb.entities import RunState
from kfnb.errors import BackendError, KfnbError
from kfnb.resources.datasets.api import dataset
from kfnb.resources.models.api import model
from kfnb.resources.monitors.local.folder import MonitorFolder, existing, find
from kfnb.resources.monitors.local.records import MOST_REPORTS
from kfnb.resources.monitors.model import RETRAIN, Action, Alarm, MonitorSpec, Report, kind_of

REPORT = "Report"
"""The type of what an alarm has found."""
_STATES: Mapping[str, RunState] = {
    "waiting": RunState.PENDING,
    "started": RunState.RUNNING,
    "done": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
}


class MonitorTraces:
    """The monitors of a home. See ``kfnb.catalog.records.Source``."""

    name = "monitors"

    def __init__(self, home: Path) -> None:
        self._home = home

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The monitors of the home. Raises ``BackendError``."""
        del known  # there are few
        found = {}
        for folder in existing(self._home):
            with suppress(BackendError):  # a damaged monitor, which other commands report
                found[folder.name] = _stamp(folder)
        return found

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about monitors."""
        for unit in units:
            with suppress(BackendError):
                folder = find(self._home, unit)
                yield Reading(unit, _stamp(folder), _trace(folder))


def _stamp(folder: MonitorFolder) -> str:
    """A digest that changes with the alarms and what was done about them: not with each check."""
    records = folder.records
    alarms = [asdict(one) for one in records.standing().alarms]
    steps = [asdict(one) for one in _steps(records.actions())]
    return hashlib.sha256(json.dumps([folder.spec().created, alarms, steps]).encode()).hexdigest()[:16]


def _steps(actions: Iterable[Action]) -> list[Action]:
    """The steps that did something, without alerts."""
    return [one for one in actions if one.costly]


def _trace(folder: MonitorFolder) -> Trace:
    spec, records = folder.spec(), folder.records
    context = RunContext(MONITOR + spec.name, spec.name, "", "local", "", spec.created)
    graph, reports, steps = _Graph(), records.reports(MOST_REPORTS, 0), _steps(records.actions())
    for alarm in records.standing().alarms:
        graph.alarm(folder, spec, alarm, _report_of(alarm, reports))
        for step in (one for one in steps if one.alarm == alarm.number):
            graph.step(folder, step)
    return graph.trace(context)


def _report_of(alarm: Alarm, reports: Iterable[Report]) -> Report | None:
    """The report that an alarm began with; None if it is not kept any more."""
    return next((one for one in reversed(list(reports)) if one.until <= alarm.since), None)


class _Graph:
    """What is collected of a monitor."""

    def __init__(self) -> None:
        self._executions: list[TaskExecution] = []
        self._artifacts: dict[str, ArtifactRecord] = {}
        self._uses: list[Use] = []

    def trace(self, context: RunContext) -> Trace:
        """All of it."""
        return Trace(context, tuple(self._executions), tuple(self._artifacts.values()), tuple(self._uses))

    def alarm(self, folder: MonitorFolder, spec: MonitorSpec, alarm: Alarm, report: Report | None) -> None:
        """An alarm, with what was compared."""
        state = RunState.RUNNING if alarm.until is None else RunState.SUCCEEDED
        task = TaskExecution(f"alarm {alarm.number}", str(state), alarm.since, alarm.until)
        self._executions.append(task)
        self._use(_data(report.baseline if report and report.baseline else spec.baseline), "baseline")
        if report is not None:
            self._use(_version(report.version), "served")
        self._use(_found(folder, alarm.number, alarm), "report", output=True)

    def step(self, folder: MonitorFolder, step: Action) -> None:
        """A step that followed an alarm."""
        retrains = kind_of(step.text) == RETRAIN
        name = f"alarm {step.alarm}, {step.text}{f', attempt {step.attempt}' if step.attempt > 1 else ''}"
        parameters = {"run": step.run} if step.run else {}
        error = step.detail if step.state == "failed" else ""
        state, end = str(_STATES.get(step.state, "")), step.at if step.finished else None
        self._executions.append(
            TaskExecution(name, state, step.since, end, error=error, parameters=parameters)
        )
        self._use(_found(folder, step.alarm), "report")
        if step.version:
            self._use(_version(step.version), "candidate", output=retrains)

    def _use(self, artifact: ArtifactRecord | None, name: str, *, output: bool = False) -> None:
        """An event of the last task; None is content that is gone."""
        if artifact is not None:
            key = artifact.digest or artifact.uri
            self._artifacts.setdefault(key, artifact)
            self._uses.append(
                Use(len(self._executions) - 1, list(self._artifacts).index(key), output=output, name=name)
            )


def _found(folder: MonitorFolder, number: int, alarm: Alarm | None = None) -> ArtifactRecord:
    """What an alarm has found, which only the monitor holds."""
    facts = {"rule": alarm.rule, "evidence": alarm.evidence} if alarm else {}
    uri = f"{(folder.path / 'monitor.db').as_uri()}#{number}"
    return ArtifactRecord(f"report of alarm {number}", REPORT, uri, properties=facts)


def _data(ref: str) -> ArtifactRecord | None:
    with suppress(KfnbError):  # it was removed
        found = dataset(ref)
        return ArtifactRecord(found.name, DATASET, found.uri, found.digest)
    return None


def _version(ref: str) -> ArtifactRecord | None:
    with suppress(KfnbError):
        found = model(f"local:{ref}").snapshot()
        return ArtifactRecord(found.name, MODEL, found.uri, found.digest)
    return None
