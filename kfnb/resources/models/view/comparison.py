"""``draw_model_comparison``: versions side by side, and only what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kfnb.resources.models.model import VersionSnapshot
from kfnb.resources.models.view.version import transform_words
from kfnb.ui.blocks import Block, Section, Text, bundle
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import digits, moment, short

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


_PARTS: tuple[tuple[str, Part, bool], ...] = (
    ("Metrics", lambda one: one.metrics, True),
    ("Parameters", lambda one: one.parameters, False),
    ("Versions", _facts, False),
    ("Environment", lambda one: {"Python": one.python, **one.packages}, False),
)


def draw_model_comparison(versions: Sequence[VersionSnapshot]) -> dict[str, str]:
    """Versions as a mimebundle: a column each."""
    versions = _on_the_same_data(versions)
    blocks = list(_blocks(versions))
    if len({one.metrics_data for one in versions}) > 1:
        blocks.insert(0, Text("They were measured on different data: compare their metrics with care."))
    names = ", ".join(one.ref for one in versions)
    return bundle(f"Comparison of {names}", blocks or [Text(f"{names}: no difference")])


def _on_the_same_data(versions: Sequence[VersionSnapshot]) -> Sequence[VersionSnapshot]:
    """The versions with their metrics on the data that all of them were measured on, if there is such data."""
    shared = [data for data in versions[0].measured if data and all(data in one.measured for one in versions)]
    if not shared:
        return versions
    return [
        replace(one, metrics=one.measured[shared[0]], metrics_data=shared[0], others=_but(one, shared[0]))
        for one in versions
    ]


def _but(version: VersionSnapshot, data: str) -> Mapping[str, Mapping[str, float]]:
    return {name: metrics for name, metrics in version.measured.items() if name != data}


def _blocks(versions: Sequence[VersionSnapshot]) -> Iterator[Block]:
    columns = (Column(""), *(Column(one.ref, number=True) for one in versions))
    for heading, part, whole in _PARTS:
        values = [part(one) for one in versions]
        names = list(dict.fromkeys(name for one in values for name in one))
        rows: list[list[Value]] = [
            [name, *(_shown(one.get(name)) for one in values)]
            for name in names
            if whole or len({_shown(one.get(name)) for one in values}) > 1
        ]
        if rows:
            yield Section(heading, [Table(heading, columns, rows)])


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return digits(value) if isinstance(value, float) else short(value) if value != "" else ""
