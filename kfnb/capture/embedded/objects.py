"""Columns of Python objects: lists, rows of dicts, and what libraries keep as objects."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.column import kfnb_Column


def kfnb_of_objects(values: list[Any]) -> kfnb_Column:
    """Python's objects, sorted by what they are. None, NaN, NaT and NA are missing values."""
    import numpy as np

    found = kfnb_Column("", len(values))
    numbers, ticks, names = [], [], set()
    kinds = set(map(type, values))
    for kind in sorted(kinds, key=lambda one: one.__name__):
        part = values if len(kinds) == 1 else [value for value in values if type(value) is kind]
        name, content = kfnb_of_one_type(kind, part)
        if name == "null":
            found.nulls += len(part)
            continue
        names.add(name)
        if isinstance(content, dict):
            for word, count in content.items():
                found.words[word] = found.words.get(word, 0) + count
        elif content is None:
            found.others += len(part)
        elif name.startswith(("timestamp", "date")):
            ticks.append(content)
        else:
            missing = np.isnan(content) if content.dtype.kind == "f" else np.zeros(len(content), bool)
            found.nulls += int(missing.sum())
            numbers.append(content[~missing])
            names -= {name} if missing.all() and len(kinds) > 1 else set()
    if names >= {"int64", "double"}:
        names -= {"int64"}
    if any(len(one) for one in numbers) or (numbers and not (ticks or found.words or found.others)):
        found.numbers = np.concatenate(numbers)
    found.ticks = np.concatenate(ticks) if ticks else None
    found.kind = f"mixed({', '.join(sorted(names))})" if len(names) > 1 else "".join(names) or "null"
    return found


def kfnb_of_one_type(kind: type, part: list[Any]) -> tuple[str, Any]:
    """Objects of one class: Arrow's name of it, and an array of numbers or ticks, or counts of words, or None."""
    from collections import Counter
    from datetime import date
    from numbers import Real

    import numpy as np

    if kind.__name__ in ("NoneType", "NAType", "NaTType"):
        return "null", None
    if issubclass(kind, (bool, np.bool_)):
        return "bool", dict(Counter("true" if value else "false" for value in part))
    if issubclass(kind, str):
        return "string", dict(Counter(map(str, part)))
    if issubclass(kind, (date, np.datetime64)):
        return kfnb_of_times(kind, part)
    if issubclass(kind, (Real, np.number)) or kind.__name__ == "Decimal":
        return kfnb_of_numbers(kind, part)
    return kind.__name__, None


def kfnb_of_times(kind: type, part: list[Any]) -> tuple[str, Any]:
    """Dates and times of one class as Arrow's name of it, and ticks in microseconds; of those with a zone, in UTC."""
    from datetime import datetime, timezone

    import numpy as np

    if kind.__name__ == "Timestamp":  # of pandas, which has nanoseconds
        return "timestamp[us]", np.array([value.value // 1000 for value in part], dtype=np.int64)
    if issubclass(kind, datetime):
        part = [
            value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value for value in part
        ]
    name = "timestamp[us]" if issubclass(kind, (datetime, np.datetime64)) else "date32[day]"
    return name, np.array(part, dtype="datetime64[us]").astype(np.int64)


def kfnb_of_numbers(kind: type, part: list[Any]) -> tuple[str, Any]:
    """Numbers of one class as Arrow's name of it, and an array; None if they are larger than a float is."""
    import numpy as np

    whole = issubclass(kind, (int, np.integer))
    try:
        if whole:
            return "int64", np.array(part, dtype=np.int64)
    except OverflowError:  # more than 64 bits
        pass
    try:
        return "double", np.array([float(value) for value in part])
    except (OverflowError, ValueError, TypeError):  # complex numbers too
        return kind.__name__, None
