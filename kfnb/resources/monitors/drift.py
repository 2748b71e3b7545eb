"""How far a window is from a reference: by column, weighted by importance, and of the predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.chance import kfnb_chi2_quantile
from kfnb.capture.embedded.distances import kfnb_distances, kfnb_drift_score
from kfnb.resources.monitors.model import ColumnDrift, Rule
from kfnb.resources.monitors.reference import MonitorReference, Profile
from kfnb.resources.monitors.rules import DRIFT

_CHANCE = 0.01
"""The probability that any column of a window without drift is beyond its limit."""
_MOST_VALUES = 20
_MISSING = 1.0
_KS, _NULLS, _NEW = 0.08, 0.02, 0.01
"""Shares of the values that have moved, of missing values that are new, and of values that are new or of another type,
which are drift by themselves at the default limit."""
_MORE = 1.5
_MARGIN = 1.5
"""How far windows without drift may be: times the largest distance of the baseline's own windows, which are few."""
_NAMED = 3


def column_drifts(
    reference: MonitorReference, window: Profile, rules: Sequence[Rule]
) -> tuple[ColumnDrift, ...]:
    """The columns of a window, those that matter and moved most first."""
    known = {one["name"]: one for one in reference.profile["columns"]}
    distances = [
        one for one in kfnb_distances(dict(reference.profile), dict(window)) if one["change"] != "extra"
    ]
    found = [
        _column(
            one, known[one["name"]], reference, window, _requested_limit(rules, one["name"]), len(distances)
        )
        for one in distances
    ]
    return tuple(sorted(found, key=_weight))


def drift_score(reference: MonitorReference, window: Profile) -> float | None:
    """The drift of all columns weighted by importance; None where importances or the window are not known."""
    if not reference.importances or not _enough(window):
        return None
    found: float | None = kfnb_drift_score(
        kfnb_distances(dict(reference.profile), dict(window)), dict(reference.importances)
    )
    return found


def score_limit(reference: MonitorReference, window: Profile) -> float:
    """The score that chance and the baseline's own windows do not pass."""
    rows = reference.profile["rows"], window.get("rows", 0)
    shares = reference.importances
    columns = [one for one in reference.profile["columns"] if shares.get(one["name"])]
    weighted = sum(shares[one["name"]] * _by_chance(one, rows, 1) for one in columns)
    chance = weighted / sum(shares[one["name"]] for one in columns) if columns else 0.0
    spread = reference.score_spread
    return max(chance, min(_MARGIN * spread, (1 + spread) / 2))  # a score cannot pass 1


def psi_of(reference: Profile, window: Profile) -> dict[str, float]:
    """By column, the population stability index of a window, where there are enough rows."""
    distances = kfnb_distances(dict(reference), dict(window))
    return {one["name"]: one["psi"] for one in distances if one.get("psi") is not None and one["enough"]}


def spread_of(reference: Profile, window: Profile) -> dict[str, dict[str, float]]:
    """By column, how far a part of the baseline is from all of it: what its seasons are."""
    found = {}
    for one in kfnb_distances(dict(reference), dict(window)):
        if one.get("psi") is not None and one["enough"]:
            nulls = one["nulls"][1] - one["nulls"][0]
            found[str(one["name"])] = {"psi": one["psi"], "ks": one["ks"] or 0.0, "nulls": nulls}
    return found


def prediction_drift(reference: MonitorReference, window: Profile) -> tuple[float | None, float]:
    """The drift of the predictions, and the limit that chance and the baseline's own windows do not pass."""
    if not reference.predictions or not window.get("columns"):
        return None, _MARGIN * reference.prediction_spread
    (one,) = kfnb_distances(dict(reference.predictions), dict(window))[:1] or ({},)
    if not one.get("enough") or one.get("psi") is None:
        return None, _MARGIN * reference.prediction_spread
    (column,) = reference.predictions["columns"]
    return one["psi"], _MARGIN * reference.prediction_spread + _by_chance(column, one["rows"], 1)


def _column(
    distance: Mapping[str, Any],
    column: Mapping[str, Any],
    reference: MonitorReference,
    window: Profile,
    requested: float,
    columns: int,
) -> ColumnDrift:
    name = str(distance["name"])
    importance = reference.importances.get(name, 0.0) if reference.importances else None
    if distance["change"] == "missing":
        gone = ("the column is missing",) if _enough(window) else ()
        return ColumnDrift(name, _MISSING if gone else None, requested, importance, reasons=gone)
    own = reference.spread.get(name, {})
    chance = _by_chance(column, distance["rows"], columns)
    limit = max(requested, _usual(own, "psi") + chance)
    enough = bool(distance["enough"])
    reasons = tuple(_reasons(distance, own, requested / DRIFT, columns)) if enough else ()
    score = distance["psi"] if enough else None
    return ColumnDrift(name, score, limit, importance, tuple(distance["nulls"]), reasons)


def _reasons(
    distance: Mapping[str, Any], own: Mapping[str, float], scale: float, columns: int
) -> Iterator[str]:
    """What is drift by itself, though its index may be small: moved values, missing ones, new or lost categories.

    The limits are in proportion to the requested one; ``scale`` is 1 at the default.
    """
    rows = distance["rows"]
    uneven = 1 / rows[0] + 1 / rows[1]
    sure = math.log(2 * columns / _CHANCE)
    ks = distance["ks"]
    if ks is not None and ks > max(_KS * scale, _usual(own, "ks") + math.sqrt(sure / 2 * uneven)):
        yield f"{100 * ks:.0f} % of the values have moved"
    before, now = distance["nulls"]
    chance = math.sqrt(2 * sure * max(before, 1 / rows[0]) * (1 - before) * uneven)
    if now > _MORE * before and now - before > max(_NULLS * scale, _usual(own, "nulls") + chance):
        yield f"{100 * now:.1f} % missing, {100 * before:.1f} % before"
    unseen = sum(count for _, count in distance["unseen"])
    if unseen > _NEW * scale * rows[1]:
        yield "new: " + ", ".join(str(value) for value, _ in distance["unseen"][:_NAMED])
    if distance["gone"] and not own:
        yield "gone: " + ", ".join(map(str, distance["gone"][:_NAMED]))
    if distance["mistyped"] > _NEW * scale:
        yield f"{distance['types'][1]} now, {distance['types'][0]} before"


def _usual(own: Mapping[str, float], kind: str) -> float:
    """How far windows are without drift."""
    return _MARGIN * own.get(kind, 0.0)


def _requested_limit(rules: Sequence[Rule], name: str) -> float:
    """The limit of a column's drift: its own, that of all columns, or the default."""
    limits = {one.subject: one.limit for one in rules if one.kind == "drift"}
    return limits.get(name, limits.get("", DRIFT))


def _by_chance(column: Mapping[str, Any], rows: tuple[int, int], columns: int) -> float:
    """The population stability index that a column without drift does not pass, whatever its windows' sizes are.

    The chance of the baseline counts twice: it was drawn once, and where it is unusual, all windows are far from it.
    """
    bins = max(len(column.get("counts", ())), min(len(column.get("top", ())), _MOST_VALUES) + 1)
    if not min(rows):
        return 0.0
    bound: float = kfnb_chi2_quantile(1 - _CHANCE / max(1, columns), max(1, bins))
    return bound * (2 / rows[0] + 1 / rows[1])


def _enough(window: Profile) -> bool:
    from kfnb.resources.monitors.judging import LEAST_ROWS

    return bool(window.get("rows", 0) >= LEAST_ROWS)


def _weight(one: ColumnDrift) -> tuple[float, float, str]:
    score = one.score or 0.0
    return (-(min(1.0, score) * (one.importance or 0.0)), -score, one.name)
