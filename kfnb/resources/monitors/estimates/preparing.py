"""Calibrates a version on the labelled rows of the baseline, or finds out why that cannot be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kfnb.capture.embedded.samples import kfnb_example
from kfnb.entities.proportions import Proportion
from kfnb.errors import UsageError
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.monitors.estimates.calibration import calibrated
from kfnb.resources.monitors.loaded import LoadedVersion
from kfnb.resources.monitors.performance import CONFIDENCE, Labelled
from kfnb.resources.monitors.reference import Curve, MonitorReference
from kfnb.ui.words import digits

_ROWS = 50_000
_TOLERANCE = 0.02
"""How far the accuracy on the baseline may be above the one that was registered, beyond chance."""


def with_calibration(
    found: MonitorReference, loaded: LoadedVersion, version: ModelVersion, frame: Any, label: str
) -> MonitorReference:
    """With what the version's probabilities mean on the baseline; or with the reason why that is not known."""
    if not label:
        return replace(found, uncalibrated="estimates need a baseline with a column of labels: --target")
    try:
        return replace(
            found, calibration=_curves(found, loaded, version, frame.dropna(subset=[label]), label)
        )
    except UsageError as error:
        return replace(found, uncalibrated=str(error))


def _curves(
    found: MonitorReference, loaded: LoadedVersion, version: ModelVersion, frame: Any, label: str
) -> dict[str, Curve]:
    """The curves by class. Raises ``UsageError``."""
    rows = kfnb_example(frame, _ROWS) if len(frame) else frame
    inputs, labels = rows[list(found.inputs)], rows[label].tolist()
    predicted = loaded.predict(inputs)
    if not loaded.classes:
        raise UsageError(f"{version.ref} gives no probabilities of classes")
    _check_unlearned(found, version, predicted, labels)
    return calibrated(loaded.score(inputs), loaded.classes, predicted, labels)


def _check_unlearned(
    found: MonitorReference, version: ModelVersion, predicted: list[Any], labels: list[Any]
) -> None:
    """Refuse rows that the version knows from its training: its probabilities are surer there than anywhere else."""
    registered = version.metrics.get("accuracy")
    pairs = zip(predicted, labels, strict=True)
    right = Proportion(sum(Labelled(one, other).right for one, other in pairs), len(labels))
    if registered is not None and right.interval_at(CONFIDENCE)[0] > registered + _TOLERANCE:
        raise UsageError(
            f"{version.ref} cannot be calibrated on {found.data}: its accuracy there is {digits(right.rate, 3)}, and"
            f" {digits(registered, 3)} was registered, so that it may have been trained on these rows"
        )
