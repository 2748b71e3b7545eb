"""What a version was made of, as far as skew needs it: the profiles of its rows and of its features, and its hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.capture.embedded.samples import kfnb_example
from kfnb.diagnostics import logger
from kfnb.errors import KfnbError
from kfnb.extras import require
from kfnb.resources.datasets.api import dataset
from kfnb.resources.datasets.handle import DatasetVersion
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.skew.evidence import Part
from kfnb.resources.monitors.skew.times import hours_of

_logger = logger(__package__)

_TRANSFORMED = 5_000
"""Rows of the training data that are transformed, and whose hours are counted."""

Transform = Callable[[Any], Any]


def frame_of(data: DatasetVersion) -> Any:
    """A version of a data set as a DataFrame of pandas. Raises ``UsageError``."""
    require("pandas", "monitoring a service")
    return data.table().to_pandas()


def with_training(
    found: MonitorReference,
    version: ModelVersion,
    baseline: DatasetVersion,
    frame: Any,
    features: Transform | None,
) -> MonitorReference:
    """With the data that a version was made of, where that is known: the baseline, whose rows are ``frame``, or other.

    ``features`` is the transform that the version has.
    """
    own = _made_of(version, baseline, frame, found.inputs)
    if own is None:
        return found
    data, rows = own
    inputs = rows[list(found.inputs)]
    profile = {} if data.digest == baseline.digest else kfnb_profile(inputs, data.digest)
    found = replace(found, source=data.ref, gathered=data.created, training=profile)
    some = kfnb_example(inputs, _TRANSFORMED)
    hours = dict(_hours("input", some))
    if features is None:
        return replace(found, hours=hours)
    try:
        made = features(some)
        transformed = kfnb_profile(made)
    except Exception as error:  # whatever the transform raises, and tables that have no profile
        _logger.debug("The training data of %s cannot be transformed.", version.ref, exc_info=True)
        note = f"the training data cannot be transformed here: {error}"
        return replace(found, hours=hours, notes=(*found.notes, note))
    return replace(found, features=transformed, hours={**hours, **dict(_hours("feature", made))})


def _made_of(
    version: ModelVersion, baseline: DatasetVersion, frame: Any, inputs: Sequence[str]
) -> tuple[DatasetVersion, Any] | None:
    """The data that a version was made of, with its rows: the first that has the version's inputs."""
    for ref in version.data:
        try:
            own = dataset(ref)
            rows = frame if own.digest == baseline.digest else frame_of(own)
        except KfnbError:  # it was removed, is in another store, or is not a table
            continue
        if set(inputs) <= set(map(str, rows.columns)):
            return own, rows
    return None


def _hours(part: Part, table: Any) -> Iterator[tuple[str, Sequence[int]]]:
    """The hours of the day of a DataFrame's columns that have them, by part and name."""
    columns: Mapping[str, Any] = {str(name): table[name] for name in getattr(table, "columns", ())}
    for name, values in columns.items():
        hours = hours_of(values.tolist()) if hasattr(values, "tolist") else ()
        if hours:
            yield f"{part} {name}", hours
