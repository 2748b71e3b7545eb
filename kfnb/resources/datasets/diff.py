"""What differs between two versions: columns, files, and the distributions that moved most, from the two profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate, pairwise

from kfnb.resources.datasets.model import ColumnProfile, ColumnShift, DatasetDiff, DatasetSnapshot, RowChanges

_SMALLEST = 1e-4
"""The share that an empty bin counts as: its logarithm must be finite."""


def difference(
    before: DatasetSnapshot, after: DatasetSnapshot, rows: RowChanges | None = None
) -> DatasetDiff:
    """What differs between two versions, with the changes of ``rows`` where they were compared."""
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    both = [(old[name], new[name]) for name in old if name in new]
    comparable = [(one, other) for one, other in both if one.type == other.type or _sort(one) == _sort(other)]
    known = [(one, other) for one, other in comparable if one.measured == other.measured]
    shifts = [ColumnShift(one.name, score(one, other), one, other) for one, other in known]
    moved = sorted((one for one in shifts if one.score > 0), key=lambda one: (-one.score, one.name))
    listed = "folder" in (before.kind, after.kind)
    files, others = (_files(before), _files(after)) if listed else ({}, {})
    return DatasetDiff(
        before,
        after,
        added=tuple(column for name, column in new.items() if name not in old),
        removed=tuple(column for name, column in old.items() if name not in new),
        retyped=tuple((one, other) for one, other in both if one.type != other.type),
        moved=tuple(moved),
        unmeasured=tuple(one.name for one, other in comparable if not (one.measured and other.measured)),
        files_added=tuple(name for name in others if name not in files),
        files_removed=tuple(name for name in files if name not in others),
        files_changed=tuple(name for name in files if name in others and files[name] != others[name]),
        rows=rows,
    )


def score(before: ColumnProfile, after: ColumnProfile) -> float:
    """How far a column's distribution moved: the population stability index; 0 where nothing did.

    Its bins are the first version's quantiles or most frequent values, and the missing values. Under 0.1 little moved,
    over 0.25 much did. Where a distribution was not measured, only the missing values are compared.
    """
    if not before.rows or not after.rows or before.nulls is None or after.nulls is None:
        return 0.0
    by_value = not before.edges or bool(before.top and after.top)
    old, new = (_shares(before, one, by_value=by_value) for one in (before, after))
    pairs = [(max(one, _SMALLEST), max(other, _SMALLEST)) for one, other in zip(old, new, strict=True)]
    return sum((other - one) * math.log(other / one) for one, other in pairs)


def histogram(profile: ColumnProfile, low: float, high: float, bins: int) -> list[float]:
    """The shares of a column's values in bins of one width from ``low`` to ``high``, as far as its quantiles tell."""
    edges = [low + (high - low) * place / bins for place in range(bins + 1)]
    below = [_below(profile, edge) for edge in edges[:-1]] + [1.0]
    return [max(0.0, other - one) for one, other in zip([0.0, *below[1:-1]], below[1:], strict=True)]


def continuous(profile: ColumnProfile) -> ColumnProfile:
    """The profile of a column; of whole numbers, the last bin ends after its last value, as the others do."""
    if not profile.edges or not profile.type.startswith(("int", "uint")):
        return profile
    return replace(profile, edges=(*profile.edges[:-1], profile.edges[-1] + 1))


def _sort(profile: ColumnProfile) -> str:
    """What the values of a column are compared as: its type may change from one version to the next."""
    kind = profile.type
    if kind.startswith(("timestamp", "date")):
        return "times"
    if kind.startswith(("int", "uint", "float", "double", "halffloat", "decimal")):
        return "numbers"
    if (
        kind.startswith(("string", "large_string", "bool"))
        or "values=string" in kind
        or "values=large_string" in kind
    ):
        return "words"
    return kind


def _shares(reference: ColumnProfile, profile: ColumnProfile, *, by_value: bool) -> list[float]:
    """The shares of values in the bins of ``reference``, or of its values; then of infinite and of missing ones."""
    missing, infinite = profile.missing, profile.infinite / profile.rows
    present = 1 - missing - infinite
    if not by_value:
        below = [0.0, *(_below(profile, edge) for edge in reference.edges[1:-1]), 1.0]
        if not profile.edges:
            below = [0.0] * len(below)
        bins = [other - one for one, other in pairwise(below)]
    else:
        known = dict(profile.top)
        count = max(1, profile.rows - (profile.nulls or 0) - profile.infinite)
        bins = [known.get(value, 0) / count for value, _ in reference.top]
        bins.append(max(0.0, 1 - sum(bins)) if reference.top else 0.0)
    return [*(share * present for share in bins), infinite, missing]


def _below(profile: ColumnProfile, value: float) -> float:
    """The share of a column's present values that are below ``value``."""
    edges, counts = profile.edges, profile.counts
    total = sum(counts)
    if not total or value <= edges[0]:
        return 0.0
    if value > edges[-1]:
        return 1.0
    before = [0, *accumulate(counts)]
    place = next(index for index, edge in enumerate(edges[1:]) if value <= edge)
    width = edges[place + 1] - edges[place]
    within = (value - edges[place]) / width if width else 0.0
    return (before[place] + counts[place] * within) / total


def _files(record: DatasetSnapshot) -> Mapping[str, str]:
    """The files of a folder or a file by their paths; of other versions, files are how kfnb keeps a value."""
    known = record.files if record.kind in ("folder", "file") else ()
    return {file.path: file.sha256 or file.tag for file in known}
