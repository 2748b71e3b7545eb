"""The verdict on two runs, as a block of a display and as JSON data."""

from __future__ import annotations

import math
from typing import Any

from kfnb.entities import Artifact
from kfnb.resources.provenance.verdict import Agreement, OutcomePair, RunVerdict
from kfnb.ui import theme
from kfnb.ui.blocks import Alert, Block, Text
from kfnb.ui.states import StateStyle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, short

_MOST = 20
_TITLES = {"ux": "UX", "os": "OS"}
_STYLES = {
    Agreement.BITWISE: StateStyle("✓", "bitwise", theme.GREEN, ""),
    Agreement.TOLERANCE: StateStyle("≈", "within tolerance", theme.GREEN, ""),
    Agreement.METRICS: StateStyle("~", "same metrics", theme.AMBER, ""),
    Agreement.DIFFERENT: StateStyle("✗", "different", theme.RED, ""),
}
_HEADLINES = {
    Agreement.BITWISE: "The results are equal to the last bit",
    Agreement.TOLERANCE: "The results are equal within tolerance",
    Agreement.METRICS: "The metrics are equal, other results differ",
    Agreement.DIFFERENT: "The results differ",
}


_COLUMNS = (
    Column("Result"),
    Column("Before"),
    Column("After"),
    Column("Difference", number=True),
    Column("Note"),
)


def layer_title(name: str) -> str:
    """The name of a layer in a heading."""
    return _TITLES.get(str(name), str(name).capitalize())


def verdict_alert(verdict: RunVerdict) -> Alert:
    """How far the results of two runs agree, why, and which do not."""
    far = verdict.largest
    apart = f": the largest relative difference is {_apart(far)}" if far and math.isfinite(far) else ""
    blocks: list[Block] = []
    if verdict.cause:
        one = verdict.cause
        blocks.append(Text(f"Most likely: {one.layer}: {one.words} ({one.reason})."))
    elif verdict.note:
        blocks.append(Text(f"{verdict.note[0].upper()}{verdict.note[1:]}."))
    rows = [_row(one) for one in verdict.outcomes if one.distance != 0]
    if rows:
        blocks.append(Table("Results that differ", _COLUMNS, rows[:_MOST]).without_empty_columns())
    if len(rows) > _MOST:
        blocks.append(Text(f"… {len(rows) - _MOST} more, in --json"))
    return Alert(_STYLES[verdict.agreement], f"{_HEADLINES[verdict.agreement]}{apart}", blocks)


def _row(one: OutcomePair) -> list[Value]:
    shown = "?" if one.distance is None else _apart(one.distance)
    return [TableCell(one.name), _value(one.before), _value(one.after), shown, one.why]


def _value(value: Any) -> str:
    if isinstance(value, Artifact):
        return value.digest[:12] or "artifact"
    return "none" if value is None else short(value, 40)


def _apart(distance: float) -> str:
    return digits(distance, 2) if math.isfinite(distance) else "other"


def verdict_data(verdict: RunVerdict) -> dict[str, Any]:
    """A verdict as JSON data. ``difference`` is None where it is not known, or no number."""
    cause = verdict.cause
    return {
        "agreement": str(verdict.agreement),
        "cause": cause
        and {"layer": str(cause.layer), "fact": cause.fact, "item": cause.item, "reason": cause.reason},
        "note": verdict.note,
        "results": [
            {
                "name": one.name,
                "equal": one.distance == 0,
                "difference": one.distance
                if one.distance is not None and math.isfinite(one.distance)
                else None,
                "metric": one.metric,
                "note": one.why,
            }
            for one in verdict.outcomes
        ],
    }
