"""The profile of a table: what is known of each column's values, small enough to be kept with a version or a model.

Profiles are plain dicts here, as JSON has them; ``kfnb.profiles.model`` says what each field means.
"""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.column import kfnb_Column
from kfnb.capture.embedded.columns import kfnb_column_of, kfnb_table_columns


def kfnb_profile(table: Any, data: str = "", transform: str = "") -> dict[str, Any]:
    """The profile of a table; ``data`` and ``transform`` are the digests of its data version and its transform.

    Raises ``TypeError`` and ``ValueError`` for what is not a table (see ``kfnb_table_columns``).
    """
    raw = kfnb_table_columns(table)
    columns = [kfnb_measure(name, kfnb_column_of(column)) for name, column in raw.items()]
    rows = columns[0]["rows"] if columns else 0
    return {"format": 1, "rows": rows, "data": data, "transform": transform, "columns": columns}


def kfnb_sort(kind: str) -> str:
    """What values of a type are compared as: ``numbers``, ``times`` or ``words``; other types by their names.

    A column's type may change from one version to the next and still be comparable: int64 to double.
    """
    if kind.startswith(("timestamp", "date")):
        return "times"
    if kind.startswith(("int", "uint", "float", "double", "halffloat", "decimal")) and "[" not in kind:
        return "numbers"
    texts = ("string", "large_string", "bool", "mixed(")
    return (
        "words"
        if kind.startswith(texts) or "values=string" in kind or "values=large_string" in kind
        else kind
    )


def kfnb_measure(name: str, column: kfnb_Column) -> dict[str, Any]:
    """The profile of a column."""
    plain = {"name": name, "type": column.kind, "rows": column.rows, "nulls": column.nulls}
    numbers = column.numbers is not None
    if numbers and not column.words and not column.others and column.ticks is None:
        return {**plain, **kfnb_measure_numbers(column)}
    if column.ticks is not None and not (numbers or column.words or column.others):
        return {**plain, **kfnb_measure_times(column)}
    if column.words:
        return {**plain, **kfnb_measure_words(column)}
    return plain


def kfnb_measure_numbers(column: kfnb_Column) -> dict[str, Any]:
    """The distribution of numbers: limits, mean, median, quantiles with counts, and few values with theirs."""
    import numpy as np

    values = np.sort(column.numbers)
    missing = infinite = 0
    if values.dtype.kind == "f":
        size = values.size
        values = values[: size - int(np.isnan(values).sum())]  # NaN is sorted behind all others
        missing = size - values.size
        if values.size and not (np.isfinite(values[0]) and np.isfinite(values[-1])):
            finite = values[np.isfinite(values)]
            infinite, values = values.size - finite.size, finite
    found = {"nulls": column.nulls + missing, "infinite": infinite}
    if not values.size:
        return found
    with np.errstate(all="ignore"):
        mean, median = float(values.mean(dtype="float64")), float(np.median(values))
    edges, counts = kfnb_bins(values)
    return {
        **found,
        "distinct": kfnb_distinct(values),
        "minimum": values[0].item(),
        "maximum": values[-1].item(),
        "mean": mean if np.isfinite(mean) else None,
        "median": median if np.isfinite(median) else None,
        "edges": edges,
        "counts": counts,
        "top": kfnb_few(values),
    }


def kfnb_measure_times(column: kfnb_Column) -> dict[str, Any]:
    """The distribution of times: limits as texts, quantiles in seconds with counts."""
    import numpy as np

    values = np.sort(column.ticks)
    if not values.size:
        return {}
    edges, counts = kfnb_bins(values)
    scale = kfnb_Column("", 0, ticks=np.array(edges), unit=column.unit)
    zone = "Z" if "tz=" in column.kind else ""
    unit: Any = column.unit
    limits = [f"{np.datetime64(int(one), unit)}".replace("T", " ") + zone for one in (values[0], values[-1])]
    return {
        "distinct": kfnb_distinct(values),
        "minimum": limits[0],
        "maximum": limits[1],
        "edges": tuple(scale.seconds().tolist()),
        "counts": counts,
    }


def kfnb_measure_words(column: kfnb_Column) -> dict[str, Any]:
    """The most frequent words: all of at most 100, else 20, and then the quantiles of their lengths with counts."""
    import heapq

    import numpy as np

    few, frequent = 100, 20
    words = kfnb_all_words(column)
    present = sum(words.values())
    # equal counts in the order of the values, so that a profile does not depend on the order of the rows
    most = len(words) if len(words) <= few else frequent
    top = heapq.nsmallest(most, words.items(), key=lambda pair: (-pair[1], pair[0]))
    found = {
        "distinct": len(words) if len(words) <= 10_000 else None,  # noqa: PLR2004 - as of numbers
        "top": tuple((kfnb_word(value), count) for value, count in top),
        "other": present - sum(count for _, count in top) + column.others,
    }
    if len(words) <= few:
        return found
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    edges, counts = kfnb_bins(np.sort(np.repeat(lengths, np.fromiter(words.values(), np.int64, len(words)))))
    return {**found, "edges": edges, "counts": counts}


def kfnb_all_words(column: kfnb_Column) -> dict[str, int]:
    """The counts of a column's words; numbers among them count as the words that they are written as."""
    import numpy as np

    words = dict(column.words)
    if column.numbers is not None:
        values, counts = np.unique(column.numbers, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist()):  # noqa: B905 - also where Python is 3.9
            word = kfnb_numeral(value)
            words[word] = words.get(word, 0) + count
    return words


def kfnb_bins(values: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The edges of the 20 quantiles of sorted values, each once, and how many values each bin has.

    A bin includes its lower edge, the last one both.
    """
    import numpy as np

    places = np.linspace(0, values.size - 1, 20 + 1).round().astype(int)
    edges = np.unique(values[places])
    if edges.size == 1:
        return (float(edges[0]), float(edges[0])), (int(values.size),)
    borders = np.searchsorted(values, edges[1:-1], side="left")
    counts = np.diff(np.concatenate([[0], borders, [values.size]]))
    return tuple(float(edge) for edge in edges), tuple(int(count) for count in counts)


def kfnb_few(values: Any) -> tuple[tuple[str, int], ...]:
    """Sorted numbers that have at most 20 different values (flags, grades) with their counts; empty for others."""
    import numpy as np

    most = 20
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    if starts.size > most:
        return ()
    counts = np.diff(np.concatenate([starts, [values.size]])).tolist()
    pairs = [(kfnb_numeral(values[start].item()), count) for start, count in zip(starts, counts)]  # noqa: B905
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def kfnb_numeral(value: float) -> str:
    """``1`` for both 1 and 1.0: a column's type may change from one version to the next."""
    exact = 2**53
    return str(int(value)) if abs(value) < exact and value == int(value) else repr(value)


def kfnb_distinct(values: Any) -> int | None:
    """How many different values there are among sorted ones; None above 10,000."""
    import numpy as np

    most = 10_000
    found = 1 + int(np.count_nonzero(values[1:] != values[:-1]))
    return found if found <= most else None


def kfnb_word(value: str) -> str:
    """A word as a profile has it: at most 100 characters."""
    longest = 100
    return value if len(value) <= longest else f"{value[: longest - 1]}…"
