"""A window as a report: how far it is from the reference, how right the predictions were, and what the rules say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.resources.monitors.adwin import AdaptiveWindow
from kfnb.resources.monitors.drift import (
    column_drifts,
    drift_score,
    prediction_drift,
    psi_of,
    score_limit,
)
from kfnb.resources.monitors.judging import WindowFacts, judge_all
from kfnb.resources.monitors.model import MetricValue, MonitorSpec, Report, SkewCause
from kfnb.resources.monitors.panes import Pane, latest
from kfnb.resources.monitors.performance import Labelled, measured
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.refused import refusal


@dataclass(frozen=True)
class Window:
    """What was seen between two checks: the sum of its panes, and the newest labels, the oldest first.

    ``now``, ``watched``, since when there is a monitor, ``requested``, the newest request that was seen by any check,
    and ``last_label``, the newest label of any version, are in seconds since 1970. ``causes`` are likely ones of
    skew, ``estimates`` are metrics without labels, ``notes`` what could not be found out.
    """

    pane: Pane
    labelled: Sequence[Labelled]
    now: float
    watched: float
    requested: float | None = None
    last_label: float | None = None
    causes: tuple[SkewCause, ...] = ()
    estimates: tuple[MetricValue, ...] = ()
    notes: tuple[str, ...] = ()


def report_of(spec: MonitorSpec, reference: MonitorReference, window: Window) -> Report:
    """The report of a window."""
    pane, facts = window.pane, _facts(spec, reference, window)
    refusals = (refusal(pane.refused, pane.requests, pane.problems),) if pane.refused else ()
    return Report(
        pane.since,
        pane.until,
        pane.rows,
        pane.requests,
        reference.version,
        facts.columns,
        facts.score,
        facts.prediction,
        facts.skew,
        facts.metrics,
        findings=judge_all(spec.rules, facts),
        notes=(*reference.notes, *refusals, *window.notes),
        baseline=reference.data,
        causes=window.causes,
        estimates=window.estimates,
    )


def _facts(spec: MonitorSpec, reference: MonitorReference, window: Window) -> WindowFacts:
    """What is known of a window."""
    pane, newest = window.pane, list(window.labelled)[-spec.labels :]
    prediction, prediction_limit = prediction_drift(reference, pane.predictions)
    return WindowFacts(
        window.now,
        window.watched,
        pane.rows,
        pane.requests,
        pane.failed,
        pane.p99_ms,
        column_drifts(reference, pane.inputs, spec.rules),
        drift_score(reference, pane.inputs),
        score_limit(reference, pane.inputs),
        prediction,
        prediction_limit,
        _skew(reference, pane),
        measured(newest, spec.slices),
        reference.usual,
        _changed(window.labelled) if spec.detector == "adwin" else None,
        spec.detector == "adwin",
        latest(pane.newest, window.requested),
        latest(max((one.at for one in newest), default=None), window.last_label),
        reference.trained,
        reference.added,
        pane.refused,
        pane.problems,
        reference.unweighted,
        window.causes,
        window.estimates,
        reference.uncalibrated,
    )


def _skew(reference: MonitorReference, pane: Pane) -> dict[str, float]:
    """By column, how far a window is from the data that the version was made of, where that is known."""
    if pane.training:
        return psi_of(reference.training, pane.training)
    return psi_of(reference.profile, pane.inputs) if reference.source == reference.data else {}


def _changed(labelled: Sequence[Labelled]) -> tuple[float, float] | None:
    """The share of right predictions before and after the last change that is found."""
    window, last = AdaptiveWindow(), None
    for one in labelled:
        last = window.add(float(one.right)) or last
    return None if last is None else (last.before, window.mean)
