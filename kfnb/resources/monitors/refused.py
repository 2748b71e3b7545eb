"""Requests that were refused for their inputs: how many, what was wrong, and their rows as they came."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.capture.embedded.profiles import kfnb_sort
from kfnb.extras import require
from kfnb.resources.monitors.reference import MonitorReference

_FAILED = 400
_NAMED = 3
"""Kinds of bad inputs that are named."""


@dataclass(frozen=True)
class Refusals:
    """Those of a block or a window. ``problems`` are requests by what was wrong (``out-of-range income``).

    ``rows`` are as they came, dicts or lists; without those of requests that were too large to be kept.
    """

    requests: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)
    rows: Sequence[Any] = ()


def refused_in(block: Any) -> Refusals:
    """The refused requests of a block of a request log."""
    require("pyarrow", "monitoring a service")
    import pyarrow.compute as pc

    if "problems" not in block.schema.names:
        return Refusals()
    failed = pc.and_(pc.equal(block["row"], 0), pc.greater_equal(block["status"], _FAILED))
    some = block.filter(pc.and_(failed, pc.is_valid(block["problems"])))
    problems: Counter[str] = Counter()
    for text in some["problems"].to_pylist():
        found = json.loads(text)
        problems.update(f"{kind} {column}".rstrip() for kind, columns in found.items() for column in columns)
    rows = [row for text in some["raw"].to_pylist() if text is not None for row in json.loads(text)]
    return Refusals(some.num_rows, dict(problems), rows)


def refusal(refused: int, requests: int, problems: Mapping[str, int]) -> str:
    """``21 of 23 requests were refused: out-of-range income``, the most frequent problems first."""
    kinds = sorted(problems, key=lambda name: (-problems[name], name))
    named = ", ".join(kinds[:_NAMED]) + (f", {len(kinds) - _NAMED} more" if len(kinds) > _NAMED else "")
    return f"{refused:,} of {requests:,} requests were refused" + (f": {named}" if named else "")


def raw_columns(rows: Sequence[Any], reference: MonitorReference) -> dict[str, list[Any]]:
    """Rows as they came, by the columns of a reference; those in another form are left out."""
    read = list(_by_name(rows, reference.inputs))
    found: dict[str, list[Any]] = {}
    for column in reference.profile["columns"]:
        name = column["name"]
        if any(name in row for row in read):
            values = [row.get(name) for row in read]
            found[name] = _times(values) if kfnb_sort(column["type"]) == "times" else values
    return found


def _by_name(rows: Sequence[Any], names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        if isinstance(row, Mapping):
            yield row
        elif isinstance(row, list) and len(row) == len(names):
            yield dict(zip(names, row, strict=True))


def _times(values: Sequence[Any]) -> list[Any]:
    """Times that JSON has as texts; None for what is none."""
    require("pandas", "monitoring a service")
    import pandas as pd

    read = pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", utc=True, format="ISO8601")
    return [None if pd.isna(one) else one.to_pydatetime() for one in read]
