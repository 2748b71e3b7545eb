"""What differs between two versions: columns, files, and the distributions that moved most, from the two profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kfnb.capture.embedded.distances import kfnb_below, kfnb_bin_shares, kfnb_psi
from kfnb.capture.embedded.profiles import kfnb_sort
from kfnb.entities.profile import ColumnProfile
from kfnb.resources.datasets.index_names import with_index_names
from kfnb.resources.datasets.model import ColumnShift, DatasetDiff, DatasetSnapshot, RowChanges


def difference(
    before: DatasetSnapshot, after: DatasetSnapshot, rows: RowChanges | None = None
) -> DatasetDiff:
    """What differs between two versions, with the changes of ``rows`` where they were compared."""
    names = {column.name for one in (before, after) for column in one.columns}
    old, new = (
        {column.name: column for column in with_index_names(one.columns, names)} for one in (before, after)
    )
    both = [(old[name], new[name]) for name in old if name in new]
    comparable = [
        (one, other)
        for one, other in both
        if one.type == other.type or kfnb_sort(one.type) == kfnb_sort(other.type)
    ]
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

    Its bins are the first version's quantiles or most frequent values, and the missing values; of texts with many
    values, whichever of both moved more. Under 0.1 little moved, over 0.25 much did. Where a distribution was not
    measured, only the missing values are compared.
    """
    if not before.rows or not after.rows or before.nulls is None or after.nulls is None:
        return 0.0
    return max(kfnb_psi(old, new) for old, new in kfnb_bin_shares(before.to_json(), after.to_json()))


def histogram(profile: ColumnProfile, low: float, high: float, bins: int) -> list[float]:
    """The shares of a column's values in bins of one width from ``low`` to ``high``, as far as its quantiles tell."""
    edges = [low + (high - low) * place / bins for place in range(bins + 1)]
    column = profile.to_json()
    below = [kfnb_below(column, edge) for edge in edges[:-1]] + [1.0]
    return [max(0.0, other - one) for one, other in zip([0.0, *below[1:-1]], below[1:], strict=True)]


def continuous(profile: ColumnProfile) -> ColumnProfile:
    """The profile of a column; of whole numbers, the last bin ends after its last value, as the others do."""
    if not profile.edges or not profile.type.startswith(("int", "uint")):
        return profile
    return replace(profile, edges=(*profile.edges[:-1], profile.edges[-1] + 1))


def _files(record: DatasetSnapshot) -> Mapping[str, str]:
    """The files of a folder or a file by their paths; of other versions, files are how kfnb keeps a value."""
    known = record.files if record.kind in ("folder", "file") else ()
    return {file.path: file.sha256 or file.tag for file in known}
