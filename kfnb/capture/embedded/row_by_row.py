"""Whether a transform makes of a row by itself what it makes of it among others, as a server needs it."""

from __future__ import annotations

from typing import Any


def kfnb_remark(transform: Any, again: Any, rows: Any, whole: Any) -> str:
    """What a transform does that a server cannot; empty if nothing was found in 2 s.

    ``again`` is the same transform, saved and loaded, and ``whole`` what it makes of all ``rows`` together.
    """
    import time

    name, count, until = transform.name, len(rows), time.monotonic() + 2
    found = kfnb_difference(whole, again.transform(kfnb_own_rows(rows, 0, count)))
    if found:
        return (
            f"{name} gives other values once its state was saved and loaded: {found}. It draws random numbers, reads"
            " the clock or a global variable, or its state has changed"
        )
    made = len(kfnb_cells(whole, None)[0])
    if made != count:
        return f"{name} makes {made} rows of {count}, and a server has to answer each row"
    for place in range(count):
        try:
            found = kfnb_difference(whole, transform.transform(kfnb_own_rows(rows, place, place + 1)), place)
        except Exception as error:  # whatever it raises of a row by itself
            found = f"row {place} by itself raises {type(error).__name__}: {error}"
        if found:
            cause = kfnb_cause(transform.code, found)
            return (
                f"{name} does not make of a row by itself what it makes of it among {count}: {found}{cause}"
            )
        if time.monotonic() > until:
            break
    return ""


def kfnb_unused(transform: Any, rows: Any, whole: Any) -> list[str]:
    """The columns of a table without which a transform gives the same, such as a label. It is tried for 2 s at most."""
    import time

    until, found = time.monotonic() + 2, []
    for name in getattr(rows, "columns", ()):
        if time.monotonic() > until:
            break
        try:
            table = kfnb_own_rows(rows, 0, len(rows))
            without = table.drop(columns=[name]) if hasattr(table, "iloc") else table.drop(name)
            same = not kfnb_difference(whole, transform.transform(without))
        except Exception:  # it is needed
            same = False
        found += [str(name)] if same else []
    return found


def kfnb_own_rows(rows: Any, first: int, last: int) -> Any:
    """Some rows as a separate table, array or list, which may be changed."""
    if hasattr(rows, "iloc"):
        return rows.iloc[first:last].reset_index(drop=True).copy()
    return rows[first:last].copy() if hasattr(rows, "copy") else rows[first:last]


def kfnb_difference(whole: Any, part: Any, place: int | None = None) -> str:
    """Where ``part`` is not what ``whole`` has, of all rows or of that at ``place``; empty if nowhere."""

    def same(one: Any, two: Any) -> bool:
        if isinstance(one, (int, float)) and isinstance(two, (int, float)):
            return one == two or (one != one and two != two) or abs(one - two) <= 1e-6 * max(1, abs(one))  # noqa: PLR0124
        return type(one) is type(two) and repr(one) == repr(two)

    (expected, names), (found, others) = kfnb_cells(whole, place), kfnb_cells(part, None)
    if names != others:
        lost, new = [one for one in names if one not in others], [one for one in others if one not in names]
        parts = [
            f"without {', '.join(lost[:5])}" if lost else "",
            f"with {', '.join(new[:5])}" if new else "",
        ]
        words = " and ".join(filter(None, parts)) or "in another order"
        return (
            f"its columns are {words}"
            if place is None
            else f"the columns of row {place} by itself are {words}"
        )
    if len(expected) != len(found):
        return f"{len(found)} rows come of {len(expected)}"
    for index, (one, two) in enumerate(zip(expected, found)):  # noqa: B905 - Python 3.9
        for name, before, after in zip(names, one, two):  # noqa: B905
            if not same(before, after):
                row = index if place is None else place
                return f"{name or 'the value'} of row {row} is {before!r} there, and {after!r} by itself"
    return ""


def kfnb_cells(value: Any, place: int | None) -> tuple[list[Any], list[str]]:
    """The rows of a table, array or list as lists of plain values, of all or of that at ``place``; and its columns."""
    value = value.toarray() if hasattr(value, "toarray") else value
    value = value.to_frame() if hasattr(value, "to_frame") and not hasattr(value, "columns") else value
    names = [str(name) for name in getattr(value, "columns", ())]
    if hasattr(value, "iloc"):
        columns = [value.iloc[:, index] for index in range(value.shape[1])]
        lists = [kfnb_numbered(one) if str(one.dtype) == "category" else one.tolist() for one in columns]
        rows = [list(row) for row in zip(*lists)] if lists else [[]] * len(value)  # noqa: B905 - Python 3.9
    elif hasattr(value, "rows"):
        rows = [list(row) for row in value.rows()]
    else:
        items = value.tolist() if hasattr(value, "tolist") else list(value)
        rows = [list(item) if isinstance(item, (list, tuple)) else [item] for item in items]
        width = len(rows[0]) if rows else 0
        names = [f"column {index}" if width > 1 else "" for index in range(width)]
    return (rows if place is None else rows[place : place + 1]), names


def kfnb_numbered(column: Any) -> list[Any]:
    """Categories with their numbers, which a model may take."""
    known = list(column.dtype.categories)
    return [f"{item!r}, number {known.index(item)} of {known}" if item in known else None for item in column]


def kfnb_cause(code: str, found: str) -> str:
    """The call in a transform that likely looks at other rows, with its place; empty if none does."""
    import ast
    import re

    causes = {
        "max mean median min mode quantile std sum var qcut cut rank groupby value_counts nunique scale zscore"
        " minmax_scale normalize fit fit_transform": "looks at every row",
        "bfill cumcount cummax cummin cumprod cumsum diff ewm expanding ffill interpolate pct_change rolling shift"
        " sort_values": "looks at the rows around",
        "get_dummies factorize Categorical astype unique codes": "depends on the values that it finds in the rows",
        "dropna drop_duplicates query sample head explode": "changes the number of rows",
    }
    lines, calls = code.splitlines(), []
    words = re.findall(r"\w{3,}", found.partition(" of row")[0])
    for function in ast.parse(code).body:
        nodes = ast.walk(function) if getattr(function, "name", "") != "fit" else ()
        for node in (one for one in nodes if isinstance(one, (ast.Attribute, ast.Name))):
            word, text = node.attr if isinstance(node, ast.Attribute) else node.id, lines[node.lineno - 1]
            why = next((why for some, why in causes.items() if word in some.split()), "")
            if why and (word != "astype" or "category" in text):
                calls.append((not any(one in text for one in words), node.lineno, word, why))
    if not calls:
        return ""
    _, line, word, why = min(calls)
    cell, start = "the transform", 0
    for number, text in enumerate(lines[:line], 1):
        mark = re.match(r"# cell (.+), line (\d+)$", text)
        if mark:
            cell, start = f"cell {mark[1]}", int(mark[2]) - number - 1
    return f". The likely cause: {word} ({cell}, line {line + start}) {why}; let fit(df) return what it needs as state"
