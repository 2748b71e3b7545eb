"""A schema inferred from a profile, with slack, so that a fresh sample of the same data passes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator

from kfnb.capture.embedded.profiles import kfnb_sort
from kfnb.entities.profile import ColumnProfile, TableProfile

_HEAD = """\
# What {source} looks like, with slack. kf.check(table, "{file}") compares a table with it.
# Edit it: the limits are guesses of {rows:,} rows. A column may have
#   type: number, integer, text, boolean, time or any
#   nulls: the largest share of missing values        unique: true, if each value occurs once
#   range: [minimum, maximum] of numbers              length: [minimum, maximum] of texts
#   outside: the largest share beyond range or length
#   values: [all, categories]                         unseen: the largest share of other values
#   optional: true, if the column may be missing
#   level: warn, or warn: [range, nulls]              to print a warning where a check would fail
"""
_LARGEST_CATEGORIES = 100
_RARE = 0.05
_MOST_DIGITS = 50
_WORD = re.compile(r"[A-Za-z_]\w*")
_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def schema_text(profile: TableProfile, source: str, file: str) -> str:
    """The YAML of the schema that is inferred from a profile of ``source``, to be written as ``file``."""
    columns = [one for one in profile.columns if not one.name.startswith("__index_level_")]
    times = [one.name for one in columns if kfnb_sort(one.type) == "times"]
    lines = [_HEAD.format(source=source, file=file, rows=profile.rows).rstrip()]
    lines.append(f"rows: {profile.rows // 2}  # at least")
    if times:
        lines.append(f"# freshness: {{{_quoted(times[0])}: 7d}}  # the newest time is at most 7 days old")
    lines.append("extra: allow  # other columns: allow, warn or fail")
    lines.append("columns:" if columns else "columns: {}")
    for column in columns:
        lines.append(f"  {_quoted(column.name)}:")
        lines += [f"    {line}" for line in _rules(column)]
    return "\n".join(lines) + "\n"


def _rules(column: ColumnProfile) -> Iterator[str]:
    kind = _kind(column)
    yield f"type: {kind}"
    if column.nulls is not None and kind != "any":
        yield f"nulls: {_nulls(column)}"
    differs = kind in ("integer", "text") and column.distinct == column.rows > 1  # as numbers of rows do
    if kind in ("number", "integer") and not differs and isinstance(column.minimum, int | float):
        yield from _range("range", column, float(column.minimum), float(column.maximum or 0))
    if kind == "text" and column.edges:
        yield from _range("length", column, column.edges[0], column.edges[-1])
    if kind == "text" and _closed(column):
        yield f"values: [{', '.join(_quoted(value) for value, _ in sorted(column.top))}]"
        yield f"unseen: {_unseen(column)}"
    if differs:
        yield "# unique: true  # as in these rows"


def _kind(column: ColumnProfile) -> str:
    sort = kfnb_sort(column.type)
    if column.type == "bool":
        return "boolean"
    if sort == "numbers":
        return "integer" if column.type.startswith(("int", "uint")) else "number"
    mixed = column.type.startswith("mixed(")
    return {"words": "any" if mixed else "text", "times": "time"}.get(sort, "any")


def _nulls(column: ColumnProfile) -> str:
    """Twice the share of nulls, and a few more where there were only few; none where there were none."""
    if not column.nulls:
        return "0"
    return _number(min(1.0, _up(2 * column.missing + 6 / column.rows)))


def _range(name: str, column: ColumnProfile, low: float, high: float) -> Iterator[str]:
    """Limits widened by a tenth of what lies between the 1st and the 99th percentile, not across zero."""
    widest = _tail(column.edges, 0.2, first=False) - _tail(column.edges, 0.2, first=True)
    slack = 0.1 * (widest or abs(high) or 1.0)
    least, most = low - slack, high + slack
    if name == "length" or column.type.startswith(("int", "uint")):
        least, most = math.floor(least), math.ceil(most)
    else:
        digits = 2 - math.floor(math.log10(most - least)) if 0 < most - least < math.inf else 0
        least, most = _rounded(least, digits, math.floor), _rounded(most, digits, math.ceil)
    least = 0 if low >= 0 > least else least
    most = 0 if high <= 0 < most else most
    yield f"{name}: [{_number(least)}, {_number(most)}]"
    yield f"outside: {_number(_up(max(0.001, 15 / column.rows)))}"


def _tail(edges: tuple[float, ...], within: float, *, first: bool) -> float:
    """The 1st or the 99th percentile: a fifth into the bin of the outermost 20th."""
    one, other = (edges[0], edges[1]) if first else (edges[-1], edges[-2])
    return one + (other - one) * within


def _closed(column: ColumnProfile) -> bool:
    """Whether its values are categories: few, all known, and hardly one that occurs only once."""
    few = 0 < len(column.top) < _LARGEST_CATEGORIES and not column.other
    return few and _once(column) <= _RARE * column.rows and all("…" not in value for value, _ in column.top)


def _once(column: ColumnProfile) -> int:
    return sum(count == 1 for _, count in column.top)


def _unseen(column: ColumnProfile) -> str:
    """The share of values that a fresh sample may have and this one not: twice that of those that occur once."""
    once = _once(column)
    return _number(_up((2 * once + 5) / column.rows)) if once else "0"


def _up(share: float) -> float:
    """A share rounded up to two digits."""
    return _rounded(share, 1 - math.floor(math.log10(share)), math.ceil)


def _rounded(value: float, digits: int, to: Callable[[float], int]) -> float:
    """A number rounded ``to`` below or above, at that many digits; unchanged where floats do not have as many."""
    scale = 10.0**digits if abs(digits) < _MOST_DIGITS else 1.0
    return to(value * scale) / scale if math.isfinite(value * scale) else value


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 10**15 else repr(value)


def _quoted(text: str) -> str:
    """A text as YAML has it: JSON's quotes are YAML's. A plain word needs none."""
    if _WORD.fullmatch(text) and text.lower() not in _OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)
