"""The table of likely causes of skew, and those that the evidence tells of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kfnb.resources.monitors.model import SkewCause
from kfnb.resources.monitors.skew import numbers, times, versions, words
from kfnb.resources.monitors.skew.evidence import ColumnEvidence, SkewEvidence

COLUMN_CAUSES: Mapping[str, Callable[[ColumnEvidence, SkewEvidence], str]] = {
    "nulls": numbers.nulls_otherwise,
    "not yet known": numbers.unknown_yet,
    "constant": numbers.constant_fill,
    "unit": numbers.other_unit,
    "column order": numbers.other_order,
    "re-coded": words.recoded,
    "unseen": words.unseen,
    "type": words.other_type,
    "time zone": times.other_zone,
    "stale": times.stale_join,
}
"""By what each is called: what tells of it in a column, in words; empty where nothing does."""

VERSION_CAUSES: Mapping[str, Callable[[SkewEvidence], Iterator[SkewCause]]] = {
    "transform": versions.other_features,
    "package": versions.other_packages,
    "model": versions.other_model,
}
"""Those that are of the version as a whole."""


def likely_causes(evidence: SkewEvidence) -> tuple[SkewCause, ...]:
    """The likely causes, those of the whole version first. A column may have several."""
    whole = (one for find in VERSION_CAUSES.values() for one in find(evidence))
    return (*whole, *_of_columns(evidence))


def _of_columns(evidence: SkewEvidence) -> Iterator[SkewCause]:
    for column in evidence.columns:
        for kind, find in COLUMN_CAUSES.items():
            found = find(column, evidence)
            if found:
                yield SkewCause(kind, found, column.name, column.part)
