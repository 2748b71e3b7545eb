"""``draw_model_comparison``: the differences between versions, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kfnb.resources.models.model import ModelComparison, VersionSnapshot
from kfnb.resources.models.view.version import transform_words
from kfnb.resources.runs.view.curves import Of, metric_plot
from kfnb.resources.runs.view.metric_history import Points, curves_of
from kfnb.ui.blocks import Block, Row, Section, Text, bundle
from kfnb.ui.plot import Plot
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import aligned, moment, short

_MOST_PLOTS = 12
_DIGITS = 6

Part = Callable[[VersionSnapshot], Mapping[str, Any]]


def _facts(one: VersionSnapshot) -> Mapping[str, Any]:
    return {
        "aliases": ", ".join(one.aliases),
        "measured on": ", ".join(filter(None, one.measured)),
        "data": ", ".join(one.data),
        "run": one.source.id,
        "code": one.code[:12],
        "transform": transform_words(one.transform),
        "format": one.format,
        "owner": one.owner,
        "registered": moment(one.created),
        "content": one.digest[:12],
    }


_PARTS: tuple[tuple[str, Part], ...] = (
    ("Parameters", lambda one: one.parameters),
    ("Versions", _facts),
    ("Environment", lambda one: {"Python": one.python, **one.packages}),
)


def draw_model_comparison(comparison: ModelComparison) -> dict[str, str]:
    """Versions as a mimebundle: a column each. All metrics are shown, and of the rest only what differs.

    The curves that the tasks of two or more of them logged are drawn in one plot for each metric.
    """
    versions = comparison.versions
    metrics = _on_the_same_data(versions)
    blocks: list[Block] = [
        *_rows("Metrics", versions, metrics or [one.metrics for one in versions], whole=True)
    ]
    for heading, part in _PARTS:
        blocks += _rows(heading, versions, [part(one) for one in versions])
    if metrics is None and any(one.metrics_data for one in versions):
        blocks.insert(0, Text("They were measured on different data: compare their metrics with care."))
    plots = _curves(comparison)
    if plots:
        blocks.append(Section("Curves", [Row(plots)]))
    names = ", ".join(one.ref for one in versions)
    return bundle(f"Comparison of {names}", blocks or [Text(f"{names}: no difference")])


def _curves(comparison: ModelComparison) -> list[Plot]:
    """The curves that two or more of the versions have, by the name of the metric."""
    found: dict[str, list[tuple[Of, Points]]] = {}
    for number, (version, task) in enumerate(zip(comparison.versions, comparison.makers, strict=False)):
        for name, points in (curves_of(task) if task else {}).items():
            found.setdefault(name, []).append((Of(version.ref, number), points))
    return [metric_plot(name, curves) for name, curves in found.items() if len(curves) > 1][:_MOST_PLOTS]


def _on_the_same_data(versions: Sequence[VersionSnapshot]) -> list[Mapping[str, float]] | None:
    """The metrics of the versions on the data that all of them were measured on; None if there is no such data."""
    first = versions[0]
    for data in filter(None, first.measured):
        digest = first.data_digests.get(data, "")
        found = [metrics for one in versions if (metrics := one.measured_on(data, digest)) is not None]
        if len(found) == len(versions):
            return found
    return None


def _rows(
    heading: str,
    versions: Sequence[VersionSnapshot],
    values: Sequence[Mapping[str, Any]],
    *,
    whole: bool = False,
) -> Iterator[Block]:
    columns = (Column(""), *(Column(one.ref, number=True) for one in versions))
    names = list(dict.fromkeys(name for one in values for name in one))
    rows: list[list[Value]] = [
        [name, *_shown([one.get(name) for one in values])]
        for name in names
        if whole or len(set(_shown([one.get(name) for one in values]))) > 1
    ]
    if rows:
        yield Section(heading, [Table(heading, columns, rows)])


def _shown(values: Sequence[Any]) -> list[str]:
    """The values of a row; numbers with the same decimals."""
    if all(value is None or isinstance(value, float) for value in values):
        return aligned(values, _DIGITS)
    return ["" if value in (None, "") else short(value) for value in values]
