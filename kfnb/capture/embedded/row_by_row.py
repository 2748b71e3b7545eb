"""Whether a transform makes of a row by itself what it makes of it among others, as a server needs it."""

from __future__ import annotations

from typing import Any


def kfnb_checked_transform(transform: Any, again: Any, rows: Any, whole: Any) -> tuple[str, list[str]]:
    """What a transform does that a server cannot, or nothing; and the columns that it does not need.

    ``again`` is the same transform, saved and loaded, and ``whole`` what it makes of all ``rows`` together. What it
    prints meanwhile is dropped.
    """
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        try:
            cells = kfnb_cells(whole)
            return kfnb_remark(transform, again, rows, cells), kfnb_unused(transform, rows, cells)
        except Exception as error:  # whatever comes of results that are neither tables nor arrays
            return f"{transform.name} cannot be checked: {type(error).__name__}: {error}", []


def kfnb_remark(transform: Any, again: Any, rows: Any, cells: Any) -> str:
    """What a transform does that a server cannot; empty if nothing was found in 2 s. ``cells`` are of all rows."""
    import time

    name, count, until = transform.name, len(rows), time.monotonic() + 2
    found = kfnb_difference(cells, again.transform(kfnb_own_rows(rows, 0, count)), where="then")
    if found:
        return (
            f"{name} gives other values once its state was saved and loaded: {found}. It draws random numbers, reads"
            " the clock or a global variable, or its state has changed"
        )
    if len(cells[0]) != count:
        return f"{name} makes {len(cells[0])} rows of {count}, and a server has to answer each row"
    for place in range(count):
        try:
            found = kfnb_difference(cells, transform.transform(kfnb_own_rows(rows, place, place + 1)), place)
        except Exception as error:  # whatever it raises of a row by itself
            found = f"row {place} by itself raises {type(error).__name__}: {error}"
        if found:
            cause = kfnb_cause(transform.code, found)
            words = "does not make of a row by itself what it makes of it among"
            return f"{name} {words} {count}: {found}{cause}"
        if time.monotonic() > until:
            break
    return ""


def kfnb_unused(transform: Any, rows: Any, cells: Any) -> list[str]:
    """The columns of a table without which a transform gives the same, such as a label. It is tried for 2 s at most."""
    import time

    until, found = time.monotonic() + 2, []
    for name in getattr(rows, "columns", ()):
        if time.monotonic() > until:
            break
        try:
            table = kfnb_own_rows(rows, 0, len(rows))
            without = table.drop(columns=[name]) if hasattr(table, "iloc") else table.drop(name)
            same = not kfnb_difference(cells, transform.transform(without))
        except Exception:  # it is needed
            same = False
        found += [str(name)] if same else []
    return found


def kfnb_own_rows(rows: Any, first: int, last: int) -> Any:
    """Some rows as a separate table, array or list, which may be changed."""
    if hasattr(rows, "iloc"):
        return rows.iloc[first:last].reset_index(drop=True).copy()
    return rows[first:last].copy() if hasattr(rows, "copy") else rows[first:last]


def kfnb_difference(cells: Any, part: Any, place: int | None = None, where: str = "by itself") -> str:
    """Where ``part`` is not what ``cells`` has, of all rows or of that at ``place``; empty if nowhere."""

    def same(one: Any, two: Any) -> bool:
        if isinstance(one, (int, float)) and isinstance(two, (int, float)):
            return one == two or (one != one and two != two) or abs(one - two) <= 1e-6 * max(1, abs(one))  # noqa: PLR0124
        return type(one) is type(two) and repr(one) == repr(two)

    (expected, names), (found, others) = cells, kfnb_cells(part)
    expected = expected if place is None else expected[place : place + 1]
    if names != others:
        lost, new = [one for one in names if one not in others], [one for one in others if one not in names]
        parts = {"without": lost[:5], "with": new[:5]}
        words = " and ".join(f"{word} {', '.join(some)}" for word, some in parts.items() if some)
        whose = "its columns" if place is None else f"the columns of row {place} by itself"
        return f"{whose} are {words or 'in another order'}"
    if len(expected) != len(found):
        return f"{len(found)} rows come of {len(expected)}"
    for index, (one, two) in enumerate(zip(expected, found)):  # noqa: B905 - Python 3.9
        for name, before, after in zip(names, one, two):  # noqa: B905
            if not same(before, after):
                row = index if place is None else place
                return (
                    f"{name or 'the value'} of row {row} is {before!r:.60} there, and {after!r:.60} {where}"
                )
    return ""


def kfnb_cells(value: Any) -> tuple[list[Any], list[str]]:
    """The rows of a table, array or list as lists of plain values; and its columns."""
    value = value.to_frame() if hasattr(value, "to_frame") and not hasattr(value, "columns") else value
    names = [str(name) for name in getattr(value, "columns", ())]
    if hasattr(value, "iloc"):
        columns = [value.iloc[:, index] for index in range(value.shape[1])]
        lists = [kfnb_numbered(one) if str(one.dtype) == "category" else one.tolist() for one in columns]
        return [list(row) for row in zip(*lists)] if lists else [[]] * len(value), names  # noqa: B905 - Python 3.9
    if hasattr(value, "tocsr"):  # a sparse matrix, which may have a million columns
        every = value.tocsr()
        items = [[(every[row].indices.tolist(), every[row].data.tolist())] for row in range(every.shape[0])]
    elif hasattr(value, "rows"):
        items = list(value.rows())
    else:
        items = value.tolist() if hasattr(value, "tolist") else list(value)
    rows = [list(item) if isinstance(item, (list, tuple)) else [item] for item in items]
    width = len(rows[0]) if rows else 0
    return rows, names or [f"column {index}" if width > 1 else "" for index in range(width)]


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
    lines, calls = code.split("\n"), []
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
