"""How far a profile is from a reference: column by column."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.chance import kfnb_chi2_tail, kfnb_drift_limit
from kfnb.capture.embedded.profiles import kfnb_sort


def kfnb_distances(reference: dict[str, Any], window: dict[str, Any]) -> list[dict[str, Any]]:
    """How far each column of a window is from the reference's, and the limit of its ``psi``.

    The window is a count into the reference's bins, or any other profile. A column that one of them lacks is
    ``missing`` or ``extra``. Under 200 rows on either side tell nothing: ``enough`` is false.
    """
    known = {column["name"]: column for column in reference["columns"]}
    found = {column["name"]: column for column in window["columns"]}
    both = [name for name, column in known.items() if name in found and found[name]["rows"]]
    distances = [kfnb_column_distance(known[name], found[name], len(both)) for name in both]
    distances += [{"name": name, "change": "missing"} for name in known if name not in both]
    distances += [{"name": name, "change": "extra"} for name in found if name not in known]
    return distances


def kfnb_column_distance(
    reference: dict[str, Any], window: dict[str, Any], columns: int = 1
) -> dict[str, Any]:
    """How far a column is from the reference's, which is one of ``columns`` columns.

    ``psi`` and ``js`` (Jensen-Shannon, base 2, from 0 to 1) compare the reference's bins or values, with the infinite,
    missing and mistyped values as further bins; ``ks`` and ``wasserstein`` (in the column's own unit) the numbers,
    as far as the bins tell. All are None where there is nothing to compare. ``p`` is a note: with many rows, each
    difference is significant.
    """
    least = 200
    sort = kfnb_sort(reference["type"])
    rows = reference["rows"], window["rows"]
    found: dict[str, Any] = {
        "name": reference["name"],
        "sort": sort,
        "types": (reference["type"], window["type"]),
        "rows": rows,
        "nulls": (kfnb_share(reference, "nulls"), kfnb_share(window, "nulls")),
        "mistyped": kfnb_share(window, "mistyped"),
        "outside": kfnb_share(window, "below") + kfnb_share(window, "above"),
        "unseen": kfnb_unseen(reference, window),
        "gone": kfnb_gone(reference, window),
        "enough": min(rows) >= least,
        "change": "",
    }
    found.update(dict.fromkeys(("psi", "js", "ks", "wasserstein", "limit", "p")))
    if sort == "times" or None in (reference["nulls"], window["nulls"]):  # the next window is later
        return found
    for old, new in kfnb_bin_shares(reference, window):
        psi = kfnb_psi(old, new)
        if found["psi"] is None or psi > found["psi"]:
            bins = sum(1 for pair in zip(old, new) if any(pair))  # noqa: B905 - also where Python is 3.9
            chance = 1 / max(1, rows[0]) + 1 / max(1, rows[1])
            found.update(psi=psi, js=kfnb_jensen_shannon(old, new))
            found["limit"] = kfnb_drift_limit(bins, rows, columns)
            found["p"] = kfnb_chi2_tail(psi / chance, bins - 1)
    if sort == "numbers" and reference.get("edges") and kfnb_present(window):
        points, old, new = kfnb_cumulative(reference, window)
        found["ks"], found["wasserstein"] = kfnb_cumulative_distances(points, old, new)
    return found


def kfnb_share(column: dict[str, Any], name: str) -> float:
    """The share of a column's rows that are ``nulls``, ``mistyped``, ..."""
    return (column.get(name) or 0) / column["rows"] if column["rows"] else 0.0


def kfnb_present(column: dict[str, Any]) -> int:
    """How many values are in the bins of a column, below or above them."""
    return int(sum(column.get("counts", ())) + column.get("below", 0) + column.get("above", 0))


def kfnb_unseen(reference: dict[str, Any], window: dict[str, Any]) -> list[tuple[str, int]]:
    """The categories of a window that the reference does not have, with their counts, the most frequent first."""
    if kfnb_sort(reference["type"]) != "words" or not reference.get("top") or reference.get("other"):
        return []
    known = {value for value, _ in reference["top"]}
    new = [(value, count) for value, count in window.get("top", ()) if value not in known and count]
    return sorted([*new, *map(tuple, window.get("unseen", ()))], key=lambda pair: (-pair[1], pair[0]))


def kfnb_gone(reference: dict[str, Any], window: dict[str, Any]) -> list[str]:
    """The categories that had to be expected at least ten times in a window, and are not in it."""
    least = 10
    if kfnb_sort(reference["type"]) != "words" or not reference["rows"]:
        return []
    found = dict(window.get("top", ()))
    scale = window["rows"] / reference["rows"]
    closed = not window.get("other") or window.get("unseen") is not None
    return [
        value
        for value, count in reference.get("top", ())
        if closed and count * scale >= least and not found.get(value)
    ]


def kfnb_bin_shares(
    reference: dict[str, Any], window: dict[str, Any]
) -> list[tuple[list[float], list[float]]]:
    """The shares of the reference's bins in both profiles, by values or by edges; of texts with lengths, by each."""
    edges = bool(reference.get("edges"))
    numbers = kfnb_sort(reference["type"]) == "numbers"
    by_value = not edges or bool(reference.get("top") and window.get("top"))
    by_edge = edges and not (numbers and by_value)
    kinds = [kind for kind, chosen in (("value", by_value), ("edge", by_edge)) if chosen]
    return [(kfnb_shares(reference, reference, kind), kfnb_shares(reference, window, kind)) for kind in kinds]


def kfnb_shares(reference: dict[str, Any], column: dict[str, Any], kind: str) -> list[float]:
    """The shares of a column's values in the reference's bins; then of infinite, missing and mistyped ones."""
    frequent = 20
    apart = [kfnb_share(column, name) for name in ("infinite", "nulls", "mistyped")]
    present = max(0.0, 1 - sum(apart))
    if kind == "edge":
        bins = kfnb_edge_shares(reference["edges"], column)
    else:
        counts = dict(column.get("top", ()))
        total = max(1e-300, column["rows"] * present)
        named = [value for value, _ in reference.get("top", ())][:frequent]
        bins = [counts.get(value, 0) / total for value in named]
        bins.append(max(0.0, 1 - sum(bins)) if named else 0.0)
        bins[-1] = bins[-1] if bins[-1] > 1e-12 else 0.0  # noqa: PLR2004 - a sum of shares that is 1 but for rounding
    return [*(share * present for share in bins), *apart]


def kfnb_edge_shares(edges: Any, column: dict[str, Any]) -> list[float]:
    """The shares of a column's numbers below the first edge, between edges, and above the last one.

    Exact where the column was counted into these edges; elsewhere as if numbers were even within each bin, and bins
    that are partly within the edges were so wholly.
    """
    total = kfnb_present(column)
    if not total:
        return [0.0] * (len(edges) + 1)
    if tuple(column.get("edges", ())) == tuple(edges):
        counts = [column.get("below", 0), *column["counts"], column.get("above", 0)]
        return [count / total for count in counts]
    low, high = kfnb_outside(column, edges[0], edges[-1])
    inner = (min(max(kfnb_below(column, edge), low), 1 - high) for edge in edges[1:-1])
    return kfnb_steps([0.0, low, *inner, 1 - high, 1.0])


def kfnb_outside(column: dict[str, Any], first: float, last: float) -> tuple[float, float]:
    """The shares of a column's numbers in bins that are wholly below ``first``, and wholly above ``last``."""
    edges, counts, total = column.get("edges", ()), column.get("counts", ()), kfnb_present(column)
    below = sum(count for count, edge in zip(counts, edges[1:]) if edge < first)  # noqa: B905 - also Python 3.9
    above = sum(count for count, edge in zip(counts, edges) if edge > last)  # noqa: B905
    return below / total, above / total


def kfnb_steps(values: list[float]) -> list[float]:
    """The differences of ascending values."""
    return [max(0.0, values[place + 1] - values[place]) for place in range(len(values) - 1)]


def kfnb_below(column: dict[str, Any], value: float) -> float:
    """The share of a column's numbers that are below ``value``."""
    edges, counts, total = column.get("edges", ()), column.get("counts", ()), kfnb_present(column)
    if not total or value <= edges[0]:
        return column.get("below", 0) / total if total and value == edges[0] else 0.0
    if value > edges[-1]:
        return 1.0
    place = next(index for index, edge in enumerate(edges[1:]) if value <= edge)
    width = edges[place + 1] - edges[place]
    within = (value - edges[place]) / width if width else 0.0
    share: float = (column.get("below", 0) + sum(counts[:place]) + counts[place] * within) / total
    return share


def kfnb_psi(old: list[float], new: list[float]) -> float:
    """The population stability index of two lists of shares; an empty bin counts as 0.0001."""
    import math

    smallest = 1e-4
    pairs = [(max(one, smallest), max(other, smallest)) for one, other in zip(old, new)]  # noqa: B905
    return sum((other - one) * math.log(other / one) for one, other in pairs)


def kfnb_jensen_shannon(old: list[float], new: list[float]) -> float:
    """The Jensen-Shannon distance of two lists of shares, in base 2: from 0, the same, to 1, nothing in common."""
    import math

    total = 0.0
    for one, other in zip(old, new):  # noqa: B905 - also where Python is 3.9
        middle = (one + other) / 2
        total += sum(share * math.log2(share / middle) for share in (one, other) if share) / 2
    return math.sqrt(max(0.0, total))


def kfnb_cumulative(
    reference: dict[str, Any], window: dict[str, Any]
) -> tuple[list[float], list[float], list[float]]:
    """The shares of both columns' numbers up to the window's minimum, each of the reference's edges, its maximum."""
    edges = list(reference["edges"])
    least, most = window.get("minimum"), window.get("maximum")
    points = [
        edges[0] if least is None else min(least, edges[0]),
        *edges,
        edges[-1] if most is None else max(most, edges[-1]),
    ]
    sums = []
    for column in (reference, window):
        shares, total = [0.0], 0.0
        for share in kfnb_edge_shares(edges, column):
            total += share
            shares.append(total)
        sums.append(shares)
    return points, sums[0], sums[1]


def kfnb_cumulative_distances(points: list[float], old: list[float], new: list[float]) -> tuple[float, float]:
    """The Kolmogorov-Smirnov and the Wasserstein distance of cumulative shares at ascending points.

    Between two points, numbers are even.
    """
    gaps = [other - one for one, other in zip(old, new)]  # noqa: B905 - also where Python is 3.9
    area = 0.0
    for place in range(len(points) - 1):
        one, other, width = gaps[place], gaps[place + 1], points[place + 1] - points[place]
        total = abs(one) + abs(other)
        crossed = one * other < 0
        area += width * ((one * one + other * other) / (2 * total) if crossed else total / 2)
    return max(map(abs, gaps)), area


def kfnb_drift_score(distances: list[dict[str, Any]], importance: dict[str, float]) -> float | None:
    """The drift of a model: the PSI of its columns, each at most 1, weighted by their importance.

    A column that is missing counts as 1. None where no column has an importance above 0. Never a mean over columns: it
    hides a dead one among many.
    """
    weighted = [(one, importance.get(one["name"], 0.0)) for one in distances]
    pairs = [
        (1.0 if one["change"] == "missing" else min(1.0, one["psi"]), weight)
        for one, weight in weighted
        if weight > 0 and (one["change"] == "missing" or one.get("psi") is not None)
    ]
    total = sum(weight for _, weight in pairs)
    return sum(psi * weight for psi, weight in pairs) / total if total else None
