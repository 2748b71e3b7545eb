"""A check of a monitor here: count what is new, judge the window, and answer alarms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kfnb import clock
from kfnb.errors import BackendError, KfnbError, ServiceNotFound
from kfnb.resources.monitors.actions.alert import message_of, notify
from kfnb.resources.monitors.actions.occasion import Occasion, StepOutcome
from kfnb.resources.monitors.actions.steps import after, take
from kfnb.resources.monitors.estimates.estimating import estimates_of
from kfnb.resources.monitors.evaluation import Window, report_of
from kfnb.resources.monitors.local.folder import MonitorFolder
from kfnb.resources.monitors.local.records import MonitorRecords
from kfnb.resources.monitors.model import ALERT, Action, MonitorSpec, Report, argument_of, kind_of
from kfnb.resources.monitors.panes import Pane, PaneCounter, together
from kfnb.resources.monitors.preparing import reference_of
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.requests import counted, labelled, labelled_rows, last_label
from kfnb.resources.monitors.responses import StepTurn, next_turns
from kfnb.resources.monitors.skew.finding import FoundCauses, find_causes
from kfnb.resources.monitors.skew.serving import ServedRows, newest_rows
from kfnb.resources.monitors.transitions import LOOKED_BACK, standing_after
from kfnb.resources.services.api import service
from kfnb.resources.services.model import Target

_BEHIND = 1.0
"""Real seconds after which a request is surely in the log: a check counts those before."""
_MOST_LABELS = 10_000
"""Labels in which ADWIN looks for a change."""
_MOST_STEPS = 20


def check_monitor(folder: MonitorFolder) -> Report:
    """Check once, and return the report. Raises ``BackendError``, which the monitor shows."""
    with folder.turn():
        return _check(folder)


def check_by(schedule: str, folder: MonitorFolder) -> Report | None:
    """``check_monitor`` for a tick of a schedule; None if the monitor has another schedule by now."""
    with folder.turn():
        return _check(folder) if folder.schedule() == schedule else None


def _check(folder: MonitorFolder) -> Report:
    spec, records = folder.spec(), folder.records
    try:
        report = _checked(folder, spec, records)
    except KfnbError as error:
        records.fail(str(error))
        raise
    _answer(folder, spec, records, report)
    return report


def _checked(folder: MonitorFolder, spec: MonitorSpec, records: MonitorRecords) -> Report:
    now = clock.now()
    target = _served(spec)
    reference = folder.reference(target.ref)
    if reference is None:
        reference = reference_of(spec, target)
        folder.keep_reference(reference)
    pane, labels = _counted(spec, records, reference, target, now), _labels(spec, target)
    rows = _newest(spec, reference, target, now)
    found = _causes(spec, reference, rows, target, now)
    estimates = estimates_of(reference, rows, target)
    window = Window(
        pane,
        labels,
        now,
        spec.created,
        records.requested(),
        last_label(spec.service, spec.backend),
        found.causes,
        estimates.metrics,
        (*found.notes, *estimates.notes),
    )
    report = report_of(spec, reference, window)
    standing = standing_after(spec, records.standing(), records.reports(LOOKED_BACK, 0), report, now)
    records.find(report, standing)
    return report


def _served(spec: MonitorSpec) -> Target:
    try:
        return service(spec.service, backend=spec.backend).snapshot().desired.default
    except ServiceNotFound:
        raise BackendError(gone(spec), code="service-not-found", ref=spec.service) from None


def gone(spec: MonitorSpec) -> str:
    """Why a monitor whose service was deleted cannot be checked."""
    return f"service {spec.service} does not exist"


def _counted(
    spec: MonitorSpec, records: MonitorRecords, reference: MonitorReference, target: Target, now: float
) -> Pane:
    """The window that ends now: the panes of before, and one more of what is new."""
    since, until = now - spec.window, now - clock.passed(_BEHIND)
    known = records.counted_until() or since
    begun = since if known > until else max(since, known)  # the clock was put back: all of the window is new
    counter = PaneCounter(reference, begun, until)
    for block in counted(spec.service, spec.backend, begun, until, target):
        counter.add(block)
    records.count(counter.pane(), since)
    return together(records.panes(reference.key, since))


def _labels(spec: MonitorSpec, target: Target) -> Any:
    most = _MOST_LABELS if spec.detector == "adwin" else spec.labels
    return labelled(spec.service, spec.backend, target, most, spec.slices)


def _newest(spec: MonitorSpec, reference: MonitorReference, target: Target, now: float) -> ServedRows:
    """The newest rows of the window."""
    until = now - clock.passed(_BEHIND)
    return newest_rows(spec.service, spec.backend, now - spec.window, until, target, reference)


def _causes(
    spec: MonitorSpec, reference: MonitorReference, rows: ServedRows, target: Target, now: float
) -> FoundCauses:
    """Likely causes of skew."""
    revisions = service(spec.service, backend=spec.backend).snapshot().current
    revision = next((one for one in revisions if one.number == target.revision), None)
    return find_causes(reference, rows, revision, now)


# -- what is done


def _answer(folder: MonitorFolder, spec: MonitorSpec, records: MonitorRecords, report: Report) -> None:
    """Take the steps whose turn it is, until each waits for something."""
    seen: set[tuple[int, int, int]] = set()
    for _ in range(_MOST_STEPS):
        turns = [
            one
            for one in next_turns(spec, records.standing().alarms, records.actions(), clock.now())
            if (one.alarm.number, one.attempt, one.place) not in seen
        ]
        if not turns:
            return
        for turn in turns:
            seen.add((turn.alarm.number, turn.attempt, turn.place))
            records.act(_step(folder, spec, records, report, turn))


def _step(
    folder: MonitorFolder, spec: MonitorSpec, records: MonitorRecords, report: Report, turn: StepTurn
) -> Action:
    occasion = Occasion(
        spec,
        turn.alarm,
        report,
        turn.text,
        clock.now(),
        turn.begun,
        _of_answer(records.actions(), turn),
        folder.pipeline,
        folder.addresses(),
        lambda: _to_compare(spec),
    )
    if turn.dropped or turn.held:
        outcome = StepOutcome("skipped" if turn.dropped else "held", turn.dropped or turn.held)
    else:
        outcome = take(occasion)
    if outcome.state == "failed" and kind_of(turn.text) != ALERT:
        _report_failure(occasion, outcome)
    return after(occasion, turn.attempt, turn.place, outcome)


def _of_answer(actions: Iterable[Action], turn: StepTurn) -> list[Action]:
    return [one for one in actions if (one.alarm, one.attempt) == (turn.alarm.number, turn.attempt)]


def _to_compare(spec: MonitorSpec) -> tuple[Any, list[Any]]:
    return labelled_rows(spec.service, spec.backend, _served(spec), spec.labels)


def _report_failure(occasion: Occasion, outcome: StepOutcome) -> None:
    """Report to those who got the alarm that a step has failed."""
    message = {**message_of(occasion, "FAILED"), "evidence": f"{occasion.text}: {outcome.detail}"}
    for text in occasion.spec.then:
        if kind_of(text) == ALERT:
            address = occasion.addresses.get(text, "")
            try:
                notify(occasion.spec, message, "" if address else argument_of(text), address)
            except KfnbError:  # the alarm itself was sent, or that failed too
                continue
