"""Counting rows into the bins of a reference profile: in constant memory, and counts of several places add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.capture.embedded.column import kfnb_Column
from kfnb.capture.embedded.columns import kfnb_column_of, kfnb_table_columns
from kfnb.capture.embedded.profiles import kfnb_all_words, kfnb_numeral, kfnb_sort, kfnb_word


class kfnb_Counter:  # noqa: N801 - a class that travels
    """Counts tables, one after the other, into the bins of a reference profile.

    ``profile()`` is what was counted, a profile whose columns have the edges and the top values of the reference.
    """

    def __init__(self, reference: dict[str, Any]) -> None:
        self.rows = 0
        self.data = reference.get("data", "")
        self.transform = reference.get("transform", "")
        self.columns = {one["name"]: kfnb_ColumnCounter(one) for one in reference["columns"]}
        self.extra: dict[str, dict[str, Any]] = {}

    def add(self, table: Any) -> None:
        """Count the rows of a table; see ``kfnb_table_columns`` for what a table is."""
        import numpy as np

        raw = kfnb_table_columns(table)
        rows = 0
        with np.errstate(all="ignore"):
            for name, column in raw.items():
                rows = len(column)
                counter = self.columns.get(name)
                if counter is not None:
                    counter.add(column)
                elif name in self.extra:
                    self.extra[name]["rows"] += rows
                elif len(self.extra) < kfnb_ColumnCounter.MOST:
                    self.extra[name] = {"name": name, "type": "unknown", "rows": rows, "nulls": None}
        self.rows += rows

    def profile(self) -> dict[str, Any]:
        """What was counted since the beginning. A column of fewer ``rows`` than the whole was missing in the others."""
        columns = [counter.profile() for counter in self.columns.values()]
        columns += [dict(self.extra[name]) for name in sorted(self.extra)]
        facts = {"data": self.data, "transform": self.transform}
        return {"format": 1, "rows": self.rows, **facts, "columns": columns}


class kfnb_ColumnCounter:  # noqa: N801 - a class that travels
    """Counts the values of one column into the bins of its reference."""

    MOST = 100  # new categories that are counted by name: the first by the alphabet, so that counts add up exactly

    def __init__(self, reference: dict[str, Any]) -> None:
        import numpy as np

        self.reference = reference
        self.sort = kfnb_sort(reference["type"])
        edges = list(reference.get("edges", ()))
        self.edges = np.array(edges, dtype=float)
        if edges:  # the last bin includes its upper edge
            self.edges[-1] = np.nextafter(self.edges[-1], np.inf)
        self.size = len(edges) + 1
        self.bins = np.zeros(self.size, dtype=np.int64)
        self.top = {value: 0 for value, _ in reference.get("top", ())}
        self.known = np.array([float(value) for value in self.top] if self.sort == "numbers" else [])
        self.closed = bool(self.top) and not reference.get("other", 0)
        self.unseen: dict[str, int] = {}
        self.kinds: set[str] = set()
        self.rows = self.nulls = self.infinite = self.other = self.mistyped = self.count = 0
        self.total = 0.0
        self.least: Any = None
        self.most: Any = None

    def add(self, raw: Any) -> None:
        """Count a column, as its library has it. Values of another kind than the reference's are ``mistyped``."""
        kind = getattr(getattr(raw, "dtype", None), "name", "")
        if (
            self.sort == "numbers"
            and kind in ("float64", "float32", "int64", "int32")
            and hasattr(raw, "to_numpy")
        ):
            self.kinds.add({"float64": "double", "float32": "float"}.get(kind, kind))
            self.rows += len(raw)
            self.add_numbers(raw.to_numpy())
            return
        column = kfnb_column_of(raw)
        self.rows += column.rows
        self.nulls += column.nulls
        if column.rows > column.nulls:
            self.kinds.add(column.kind)
        counted = 0
        if self.sort == "numbers" and column.numbers is not None:
            counted = len(column.numbers)
            self.add_numbers(column.numbers)
        elif self.sort == "times" and column.ticks is not None:
            counted = len(column.ticks)
            self.add_numbers(column.seconds())
        elif self.sort == "words" and column.words and self.comparable(column.kind):
            counted = self.add_words(column)
        elif self.sort not in ("numbers", "times", "words") and column.others:
            counted = column.others
            self.other += counted
        self.mistyped += column.rows - column.nulls - counted

    def comparable(self, kind: str) -> bool:
        """Whether words of a type are those of the reference: truth values are not texts."""
        return (kind == "bool") == (self.reference["type"] == "bool") or kind.startswith("mixed(")

    def add_numbers(self, values: Any) -> None:
        """Count numbers, or times in seconds."""
        import numpy as np

        if not values.size:
            return
        total = float(np.add.reduce(values, dtype=float))
        if total - total != 0:  # NaN or infinite numbers are among them, or they overflow
            missing = np.isnan(values)
            infinite = np.isinf(values)
            self.nulls += int(missing.sum())
            self.infinite += int(infinite.sum())
            values = values[~(missing | infinite)]
            total = float(values.sum(dtype=float))
            if not values.size:
                return
        self.total += total
        self.count += values.size
        least, most = np.minimum.reduce(values), np.maximum.reduce(values)
        self.least = least if self.least is None else min(self.least, least)
        self.most = most if self.most is None else max(self.most, most)
        if self.size == 1:  # the reference had no values
            self.other += values.size
            return
        places = self.edges.searchsorted(values, side="right")
        self.bins += np.bincount(places, minlength=self.size)
        if self.known.size:
            self.add_known(values)

    def add_known(self, values: Any) -> None:
        """Count numbers of which the reference has few different values."""
        import numpy as np

        found, counts = np.unique(values, return_counts=True)
        for value, count in zip(found.tolist(), counts.tolist()):  # noqa: B905 - also where Python is 3.9
            self.add_word(kfnb_numeral(value), count)

    def add_words(self, column: kfnb_Column) -> int:
        """Count words, and their lengths where the reference has them; how many there were."""
        import numpy as np

        words = kfnb_all_words(column)
        for word, count in words.items():
            self.add_word(kfnb_word(word), count)
        if self.size > 1:
            lengths = np.fromiter(map(len, words), np.int64, len(words))
            counts = np.fromiter(words.values(), np.int64, len(words))
            places = self.edges.searchsorted(lengths, side="right")
            self.bins += np.bincount(places, weights=counts, minlength=self.size).astype(np.int64)
        return sum(words.values())

    def add_word(self, word: str, count: int) -> None:
        """Count a value: by name if the reference has it, or if the reference has all and it is new."""
        if word in self.top:
            self.top[word] += count
            return
        self.other += count
        if self.closed and (len(self.unseen) < self.MOST or word <= max(self.unseen)):
            self.unseen[word] = self.unseen.get(word, 0) + count
            if len(self.unseen) > self.MOST:
                del self.unseen[max(self.unseen)]

    def profile(self) -> dict[str, Any]:
        """The profile of what was counted."""
        import numpy as np

        found: dict[str, Any] = {
            "name": self.reference["name"],
            "type": kfnb_joined(self.kinds) if self.kinds else self.reference["type"],
            "rows": self.rows,
            "nulls": self.nulls,
            "infinite": self.infinite,
            "edges": tuple(self.reference.get("edges", ())),
            "counts": tuple(self.bins[1:-1].tolist()),
            "below": int(self.bins[0]) if self.size > 1 else 0,
            "above": int(self.bins[-1]) if self.size > 1 else 0,
            "top": tuple(self.top.items()),
            "other": self.other,
            "unseen": tuple(sorted(self.unseen.items())),
            "mistyped": self.mistyped,
        }
        if self.sort == "times" and self.count:
            limits = np.array([self.least, self.most]) * 1e6
            found.update(zip(("minimum", "maximum"), limits.astype("datetime64[us]").astype(str).tolist()))  # noqa: B905
        if self.sort == "numbers" and self.count:
            mean = self.total / self.count
            found.update(minimum=self.least.item(), maximum=self.most.item())
            found.update(mean=mean if mean - mean == 0 else None)
        return found


def kfnb_joined(kinds: Any) -> str:
    """The name of the type of a column that came in several."""
    names = (
        {name for kind in kinds for name in kind.removeprefix("mixed(").rstrip(")").split(", ")}
        if (len(kinds) > 1)
        else set(kinds)
    )
    return f"mixed({', '.join(sorted(names))})" if len(names) > 1 else "".join(names)


def kfnb_added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The sum of two counts of the same reference: as if all rows had been counted in one place.

    Raises ``ValueError`` if they were counted into different bins.
    """
    columns = {column["name"]: column for column in one["columns"]}
    for column in other["columns"]:
        known = columns.get(column["name"])
        columns[column["name"]] = column if known is None else kfnb_added_column(known, column)
    return {**one, "rows": one["rows"] + other["rows"], "columns": list(columns.values())}


def kfnb_added_column(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The sum of two counts of a column. Raises ``ValueError`` if they were counted into different bins."""
    bins = ("edges", "counts", "top")
    values = [tuple(value for value, _ in column.get("top", ())) for column in (one, other)]
    if tuple(one.get("edges", ())) != tuple(other.get("edges", ())) or values[0] != values[1]:
        raise ValueError(f"{one['name']} was counted into the bins of two different references")
    if one["nulls"] is None or other["nulls"] is None:  # a column that the reference does not have
        return {**one, "rows": one["rows"] + other["rows"]}
    kinds = {column["type"] for column in (one, other) if column["rows"] > column["nulls"]}
    unseen = dict(one.get("unseen", ()))
    for value, count in other.get("unseen", ()):
        unseen[value] = unseen.get(value, 0) + count
    names = ("rows", "nulls", "infinite", "below", "above", "other", "mistyped")
    found = {**one, **{name: one.get(name, 0) + other.get(name, 0) for name in names}}
    found["type"] = kfnb_joined(kinds) if kinds else one["type"]
    found["counts"], found["top"] = (tuple(kfnb_sums(name, one, other)) for name in bins[1:])
    found["unseen"] = tuple(sorted(unseen.items())[: kfnb_ColumnCounter.MOST])
    return {**found, **kfnb_added_limits(one, other)}


def kfnb_sums(name: str, one: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    """The sums of the ``counts``, or of the values with counts of ``top``, of two counts of a column."""
    pairs = zip(one.get(name, ()), other.get(name, ()))  # noqa: B905 - also where Python is 3.9
    if name == "counts":
        return [first + second for first, second in pairs]
    return [(first[0], first[1] + second[1]) for first, second in pairs]


def kfnb_added_limits(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The minimum, maximum and mean of two counts of a column; nothing where there are none."""
    known = [column for column in (one, other) if column.get("minimum") is not None]
    if not known:
        return {}
    apart = ("nulls", "infinite", "mistyped")
    counts = [column["rows"] - sum(column.get(name, 0) for name in apart) for column in known]
    means = [column.get("mean") for column in known]
    mean = None
    if None not in means:
        mean = sum(mean * count / sum(counts) for mean, count in zip(means, counts))  # noqa: B905
    return {
        "minimum": min(column["minimum"] for column in known),
        "maximum": max(column["maximum"] for column in known),
        "mean": mean,
    }
