"""Makes the reference of a version: its predictions for the baseline, and how much it depends on each column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.capture.embedded.samples import kfnb_example
from kfnb.errors import BackendError, KfnbError, UsageError
from kfnb.resources.datasets.api import dataset
from kfnb.resources.datasets.handle import DatasetVersion
from kfnb.resources.models.api import model
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.monitors.drift import drift_score, psi_of, spread_of
from kfnb.resources.monitors.estimates.preparing import with_calibration
from kfnb.resources.monitors.judging import LEAST_ROWS
from kfnb.resources.monitors.loaded import LoadedVersion, load_version
from kfnb.resources.monitors.model import MonitorSpec
from kfnb.resources.monitors.performance import METRICS, Labelled, measured
from kfnb.resources.monitors.reference import PREDICTION, MonitorReference
from kfnb.resources.monitors.skew.training import frame_of, with_training
from kfnb.resources.services.model import Target

_PREDICTED, _SHUFFLED = 50_000, 2_000
"""Rows of the baseline that are predicted, and those that importances are measured on."""
_REPEATS = 3


def reference_of(spec: MonitorSpec, target: Target) -> MonitorReference:
    """The reference of a version that is served. Raises ``UsageError``, ``BackendError``.

    Where a model cannot be loaded here, its predictions and importances are not known, and a note says why.
    """
    version = model(f"{target.registry}:{target.ref}")
    data = baseline_of(spec, version)
    frame = frame_of(data)
    loaded = load_version(version, target)
    inputs = loaded.inputs or tuple(name for name in map(str, frame.columns) if name != spec.target)
    lost = [name for name in inputs if name not in frame.columns]
    if lost:
        hint = f"it has {', '.join(map(str, frame.columns[:10]))}"
        raise UsageError(f"{data.ref} has no column {', '.join(lost)}, which {version.ref} takes:", hint=hint)
    if len(frame) < LEAST_ROWS:
        hint = f"windows are compared with at least {LEAST_ROWS}"
        raise UsageError(f"{data.ref} has {len(frame)} rows:", hint=hint, ref=data.ref)
    found = MonitorReference(
        data.ref,
        version.ref,
        kfnb_profile(frame[list(inputs)], data.digest),
        inputs,
        trained=version.created,
        added=data.created,
        notes=loaded.notes,
        usual={name: value for name, value in version.metrics.items() if name in METRICS},
    )
    found = with_training(found, version, data, frame, loaded.transform)
    label = label_of(spec, inputs, list(map(str, frame.columns)))
    found = _with_model(found, loaded, version, target, frame, label)
    if any(rule.kind == "estimate" for rule in spec.rules):
        found = with_calibration(found, loaded, version, frame, label)
    return _with_spread(found, loaded, frame, spec.references)


def baseline_of(spec: MonitorSpec, version: ModelVersion) -> DatasetVersion:
    """The data that windows are compared with: what the version was made of, if that is a later one of the baseline."""
    named = dataset(spec.baseline)
    for ref in version.data:
        try:
            own = dataset(ref)
        except KfnbError:  # it was removed, or is in another store
            continue
        if own.name == named.name and own.version > named.version:
            return own
    return named


def label_of(spec: MonitorSpec, inputs: Sequence[str], columns: Sequence[str]) -> str:
    """The baseline's column of labels: the one that was named, or the only one that the model does not take."""
    if spec.target:
        if spec.target not in columns:
            hint = f"it has {', '.join(columns[:10])}"
            raise UsageError(f"{spec.baseline} has no column {spec.target}:", hint=hint, ref=spec.target)
        return spec.target
    others = [name for name in columns if name not in inputs]
    return others[0] if len(others) == 1 else ""


def _with_model(
    found: MonitorReference,
    loaded: LoadedVersion,
    version: ModelVersion,
    target: Target,
    frame: Any,
    label: str,
) -> MonitorReference:
    """With what the version predicts for the baseline, and how much it depends on each column."""
    rows = kfnb_example(frame, _PREDICTED)
    try:
        predicted = loaded.predict(rows[list(found.inputs)])
    except UsageError as error:
        notes = found.notes or (f"{version.ref}: {error}",)
        return replace(found, notes=notes, unweighted=str(error))
    found = replace(found, predictions=kfnb_profile({PREDICTION: predicted}))
    if not label:
        return replace(found, unweighted="importances need a column of labels: --target")
    known = zip(predicted, rows[label].tolist(), rows[label].notna(), strict=True)
    pairs = [Labelled(one, other) for one, other, is_known in known if is_known]
    own = {one.name: one.value for one in measured(pairs)}
    found = replace(found, usual={**own, **found.usual})
    try:
        return replace(found, importances=dict(_importances(version, target, frame, label)))
    except (UsageError, BackendError) as error:  # labels of another kind, or values that no model takes
        why = f"importances cannot be measured: {error}"
        return replace(found, notes=(*found.notes, why), unweighted=why)


def _importances(
    version: ModelVersion, target: Target, frame: Any, label: str
) -> Iterator[tuple[str, float]]:
    """The share of each column. Raises ``UsageError``, ``BackendError`` where they cannot be measured."""
    some = kfnb_example(frame.dropna(subset=[label]), _SHUFFLED)
    report = version.importance(some, label, repeats=_REPEATS, pickle=target.pickle, trust=target.trust)
    total = sum(max(0.0, one.mean) for one in report.columns)
    for one in report.columns:
        yield one.column, max(0.0, one.mean) / total if total else 0.0


def _with_spread(
    found: MonitorReference, loaded: LoadedVersion, frame: Any, windows: int
) -> MonitorReference:
    """With the largest distances of the baseline's own windows from all of it: what its seasons are."""
    if windows < 2:  # noqa: PLR2004 - one window is all of it
        return found
    spread: dict[str, dict[str, float]] = {}
    of_predictions = score = 0.0
    for number in range(windows):
        part = frame.iloc[number * len(frame) // windows : (number + 1) * len(frame) // windows]
        profile = kfnb_profile(part[list(found.inputs)])
        for name, own in spread_of(found.profile, profile).items():
            known = spread.get(name, own)
            spread[name] = {kind: max(value, known[kind]) for kind, value in own.items()}
        score = max(score, drift_score(found, profile) or 0.0)
        if found.predictions:
            with suppress(UsageError):  # a row that was not among those that were predicted before
                predicted = loaded.predict(part[list(found.inputs)])
                moved = psi_of(found.predictions, kfnb_profile({PREDICTION: predicted}))
                of_predictions = max(of_predictions, *moved.values(), 0.0)
    return replace(found, spread=spread, prediction_spread=of_predictions, score_spread=score)
