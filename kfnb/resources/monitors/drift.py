"""How far a window is from a reference: by column, weighted by importance, and of the predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.distances import kfnb_chi2_quantile, kfnb_distances, kfnb_drift_score
from kfnb.resources.monitors.model import ColumnDrift, Rule
from kfnb.resources.monitors.reference import Profile, Reference
from kfnb.resources.monitors.rules import DRIFT

_CHANCE = 0.01
"""The probability that any column of a window without drift is beyond its limit."""
_MOST_VALUES = 20
_MISSING = 1.0


def column_drifts(reference: Reference, window: Profile, rules: Sequence[Rule]) -> tuple[ColumnDrift, ...]:
    """The columns of a window, those that matter and moved most first."""
    known = {one["name"]: one for one in reference.profile["columns"]}
    distances = [
        one for one in kfnb_distances(dict(reference.profile), dict(window)) if one["change"] != "extra"
    ]
    found = [
        _column(one, known[one["name"]], reference, window, _asked(rules, one["name"]), len(distances))
        for one in distances
    ]
    return tuple(sorted(found, key=_weight))


def drift_score(reference: Reference, window: Profile) -> float | None:
    """The drift of all columns weighted by importance; None where importances or the window are not known."""
    if not reference.importances or not _enough(window):
        return None
    found: float | None = kfnb_drift_score(
        kfnb_distances(dict(reference.profile), dict(window)), dict(reference.importances)
    )
    return found


def largest_distances(reference: Profile, window: Profile) -> dict[str, float]:
    """By column, the population stability index of a window."""
    distances = kfnb_distances(dict(reference), dict(window))
    return {one["name"]: one["psi"] for one in distances if one.get("psi") is not None and one["enough"]}


def prediction_drift(reference: Reference, window: Profile) -> tuple[float | None, float]:
    """The drift of the predictions, and the limit that chance and the baseline's own windows do not pass."""
    if not reference.predictions or not window.get("columns"):
        return None, reference.prediction_spread
    (one,) = kfnb_distances(dict(reference.predictions), dict(window))[:1] or ({},)
    if not one.get("enough") or one.get("psi") is None:
        return None, reference.prediction_spread
    (column,) = reference.predictions["columns"]
    return one["psi"], max(reference.prediction_spread, _by_chance(column, one["rows"], 1))


def _column(
    distance: Mapping[str, Any],
    column: Mapping[str, Any],
    reference: Reference,
    window: Profile,
    asked: float,
    columns: int,
) -> ColumnDrift:
    name = str(distance["name"])
    importance = reference.importances.get(name, 0.0) if reference.importances else None
    if distance["change"] == "missing":
        score = _MISSING if _enough(window) else None
        return ColumnDrift(name, score, asked, importance, remark="missing")
    score = distance["psi"] if distance["enough"] else None
    limit = max(asked, reference.spread.get(name, 0.0), _by_chance(column, distance["rows"], columns))
    return ColumnDrift(
        name, score, limit, importance, tuple(distance["nulls"]), ", ".join(_remarks(distance))
    )


def _remarks(distance: Mapping[str, Any]) -> Iterator[str]:
    """What is to be known of a column beside its distance."""
    before, after = distance["types"]
    if before != after and distance["mistyped"]:
        yield f"{before} before, {after} now"
    if distance["unseen"]:
        yield "new: " + ", ".join(str(value) for value, _ in distance["unseen"][:3])
    if distance["gone"]:
        yield "gone: " + ", ".join(map(str, distance["gone"][:3]))


def _asked(rules: Sequence[Rule], name: str) -> float:
    """The limit of a column's drift: its own, that of all columns, or the default."""
    limits = {one.subject: one.limit for one in rules if one.kind == "drift"}
    return limits.get(name, limits.get("", DRIFT))


def _by_chance(column: Mapping[str, Any], rows: tuple[int, int], columns: int) -> float:
    """The population stability index that a column without drift does not pass, whatever its windows' sizes are."""
    bins = max(len(column.get("counts", ())), min(len(column.get("top", ())), _MOST_VALUES) + 1)
    if not min(rows):
        return 0.0
    bound: float = kfnb_chi2_quantile(1 - _CHANCE / max(1, columns), max(1, bins))
    return bound * (1 / rows[0] + 1 / rows[1])


def _enough(window: Profile) -> bool:
    from kfnb.resources.monitors.judging import LEAST_ROWS

    return bool(window.get("rows", 0) >= LEAST_ROWS)


def _weight(one: ColumnDrift) -> tuple[float, float, str]:
    score = one.score or 0.0
    return (-(min(1.0, score) * (one.importance or 0.0)), -score, one.name)
