"""A table checked against a schema: all checks are made, each a line of what was compared with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.capture.embedded.columns import kfnb_column_of, kfnb_table_columns
from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.schemas import kfnb_schema_reference, kfnb_schema_type


def kfnb_check_table(table: Any, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a table's check. Raises ``TypeError`` and ``ValueError`` for what is not a table."""
    raw = kfnb_table_columns(table)
    counter = kfnb_Counter(kfnb_schema_reference(schema))
    counter.add(table)
    lines = kfnb_check_counts(counter.profile(), schema)
    for name, rules in schema["columns"].items():
        if name in raw:
            more = kfnb_check_values(name, rules, raw[name])
            known = {(line["column"], line["check"]) for line in more}
            lines = [line for line in lines if (line["column"], line["check"]) not in known] + more
    lines = [line for line in lines if line["verdict"] != "skipped"]
    for line in lines:
        if line["verdict"] != "ok" and line["column"] in raw:
            line["examples"] = kfnb_examples(
                line, schema["columns"].get(line["column"], {}), raw[line["column"]]
            )
    return lines


def kfnb_check_validated(table: Any, schema: Any) -> list[dict[str, Any]]:
    """The lines of a check by a schema of pandera: one for each of its checks that failed, or one if it passed.

    Raises what ``validate`` raises beside pandera's own error.
    """
    name = str(getattr(schema, "name", None) or type(schema).__name__)
    try:
        schema.validate(table, lazy=True)
    except Exception as error:
        cases = getattr(error, "failure_cases", None)
        if cases is None or not hasattr(cases, "to_dict"):
            raise
        found: dict[tuple[str, str], list[Any]] = {}
        for case in cases.to_dict("records"):
            found.setdefault((str(case["column"] or ""), str(case["check"])), []).append(case)
        return [kfnb_validated_line(column, check, cases) for (column, check), cases in found.items()]
    return [kfnb_line({}, "", name, "passes", "passes", fits=True)]


def kfnb_validated_line(column: str, check: str, cases: list[Any]) -> dict[str, Any]:
    """The line of the failure cases of one of pandera's checks."""
    most, longest = 10, 60
    value = ", ".join(dict.fromkeys(str(case["failure_case"])[:longest] for case in cases[:most]))
    line = kfnb_line({}, column, "pandera", check, value, (len(cases), 0), fits=False)
    placed = [case for case in cases[:most] if case["index"] is not None and case["index"] == case["index"]]
    line["examples"] = [(case["index"], str(case["failure_case"])[:longest]) for case in placed]
    return line


def kfnb_check_counts(counts: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a table, or of a window, that was counted into the bins of ``kfnb_schema_reference``.

    What needs the rows themselves has the verdict ``skipped``.
    """
    rows = counts["rows"]
    found = {column["name"]: column for column in counts["columns"]}
    lines = []
    least = schema.get("rows", 1)  # an empty table breaks no other limit
    if "rows" in schema or not rows:
        lines.append(kfnb_line(schema, "", "rows", f"at least {least:,}", f"{rows:,}", fits=rows >= least))
    lines += [kfnb_check_age(schema, column, age, found) for column, age in schema["freshness"].items()]
    for name, rules in schema["columns"].items():
        if not found[name]["rows"] and rows:
            line = kfnb_line(rules, name, "column", "present", "missing", fits=False)
            lines += [] if rules.get("optional") else [line]
        elif rows:
            lines += kfnb_check_column(name, rules, found[name])
    level = schema.get("extra", "allow")
    extra = [column["name"] for column in counts["columns"] if column["nulls"] is None]
    if extra and level != "allow":
        lines.append(
            kfnb_line({"level": level}, "", "extra", "no other columns", ", ".join(extra), fits=False)
        )
    return lines


def kfnb_line(
    rules: dict[str, Any],
    column: str,
    check: str,
    limit: str,
    value: str,
    counts: tuple[int, int] = (0, 0),
    *,
    fits: bool,
) -> dict[str, Any]:
    """A line: ``value`` was compared with ``limit``; ``counts`` are the values that break it, and all rows."""
    warns = rules.get("level") == "warn" or check in rules.get("warn", ())
    return {
        "column": column,
        "check": check,
        "verdict": "ok" if fits else "warn" if warns else "fail",
        "limit": limit,
        "value": value,
        "count": counts[0],
        "share": counts[0] / counts[1] if counts[1] else 0.0,
        "examples": [],
    }


def kfnb_check_age(schema: dict[str, Any], column: str, age: float, found: dict[str, Any]) -> dict[str, Any]:
    """The line of ``freshness``: how old the newest time of a column is."""
    from datetime import datetime, timezone

    newest = found.get(column, {}).get("maximum")
    limit = f"at most {kfnb_age(age)} old"
    if not isinstance(newest, str):
        return kfnb_line(schema, column, "freshness", limit, "no times", fits=False)
    then = datetime.fromisoformat(newest[:26]).replace(tzinfo=timezone.utc)
    old = (datetime.now(timezone.utc) - then).total_seconds()
    return kfnb_line(schema, column, "freshness", limit, f"{kfnb_age(max(0.0, old))} old", fits=old <= age)


def kfnb_age(seconds: float) -> str:
    """Seconds in the largest unit that they fill."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} s"


def kfnb_check_column(name: str, rules: dict[str, Any], counts: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a column that its counts tell: type, nulls, range or length, values."""
    rows = counts["rows"]
    lines = []
    kind = kfnb_schema_type(rules)
    if kind != "any":
        wrong = counts["mistyped"]
        value = f"{counts['type']}" + (f", {wrong:,} other values" if wrong else "")
        lines.append(kfnb_line(rules, name, "type", kind, value, (wrong, rows), fits=not wrong))
    if "nulls" in rules:
        nulls = counts["nulls"]
        fits = nulls <= rules["nulls"] * rows
        limit = f"at most {kfnb_percent(rules['nulls'])}"
        lines.append(
            kfnb_line(rules, name, "nulls", limit, kfnb_percent(nulls / rows), (nulls, rows), fits=fits)
        )
    for check in ("range", "length"):
        if check in rules:
            beyond = counts["below"] + counts["above"] + (counts["infinite"] if check == "range" else 0)
            fits = beyond <= rules.get("outside", 0) * rows
            low, high = (f"{one:,.6g}" for one in rules[check])
            limit = f"{low} to {high}"
            limit += f", at most {kfnb_percent(rules['outside'])} outside" if rules.get("outside") else ""
            seen = f"{kfnb_percent(beyond / rows)} outside"
            if check == "range" and counts.get("minimum") is not None:
                seen = f"{counts['minimum']:,.6g} to {counts['maximum']:,.6g}, {seen}"
            lines.append(kfnb_line(rules, name, check, limit, seen, (beyond, rows), fits=fits))
    if "values" in rules:
        other = counts["other"]
        fits = other <= rules.get("unseen", 0) * rows
        limit = f"{len(rules['values'])} values, at most {kfnb_percent(rules.get('unseen', 0))} others"
        new = ", ".join(value for value, _ in counts["unseen"][:5])
        seen = f"{kfnb_percent(other / rows)} others{f': {new}' if new else ''}"
        lines.append(kfnb_line(rules, name, "values", limit, seen, (other, rows), fits=fits))
    whole = rules.get("type") == "integer" and not counts["type"].lower().startswith(("int", "uint"))
    unknown = (("unique", "each value once", rules.get("unique")), ("fractions", "none", whole))
    for check, limit, rule in unknown:
        line = kfnb_line(rules, name, check, limit, "not checked on windows", fits=True)
        lines += [{**line, "verdict": "skipped"}] if rule else []
    return lines


def kfnb_check_values(name: str, rules: dict[str, Any], raw: Any) -> list[dict[str, Any]]:
    """The lines of a column that need its values: whole numbers, and whether each value differs."""
    import numpy as np

    lines = []
    column = kfnb_column_of(raw)
    numbers = column.numbers
    if rules.get("type") == "integer" and numbers is not None and numbers.dtype.kind == "f":
        finite = numbers[np.isfinite(numbers)]
        wrong = int((finite != np.floor(finite)).sum())
        value = f"{column.kind}, {wrong:,} with a fraction"
        if wrong:
            lines.append(kfnb_line(rules, name, "type", "integer", value, (wrong, column.rows), fits=False))
    if rules.get("unique"):
        different = len(column.words)
        for part in (numbers, column.ticks):
            different += 0 if part is None else len(np.unique(part[part == part]))  # noqa: PLR0124 - NaN is missing
        nan = 0 if numbers is None or numbers.dtype.kind != "f" else int(np.isnan(numbers).sum())
        twice = column.rows - column.nulls - nan - column.others - different
        counts = twice, column.rows
        value = f"{twice:,} repeated"
        lines.append(kfnb_line(rules, name, "unique", "each value once", value, counts, fits=not twice))
    return lines


def kfnb_examples(line: dict[str, Any], rules: dict[str, Any], raw: Any) -> list[tuple[int, str]]:
    """At most 10 rows that break a check: their places, counted from 0, and their values as texts."""
    most, longest = 10, 60
    breaks = kfnb_breaking(line["check"], rules)
    found: list[tuple[int, str]] = []
    for place, value in enumerate(kfnb_listed(raw)):
        try:
            if breaks(value):
                found.append((place, str(value)[:longest]))
        except (TypeError, ValueError, OverflowError):  # objects that cannot be compared
            continue
        if len(found) == most:
            break
    return found


def kfnb_breaking(check: str, rules: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether a value breaks a check."""
    low, high = rules.get("range", rules.get("length", (0, 0)))
    kind = kfnb_schema_type(rules)
    kinds: dict[str, Any] = {"number": (int, float), "integer": (int, float), "text": str, "boolean": bool}
    seen: set[Any] = set()

    def repeated(value: Any) -> bool:
        known = value in seen
        seen.add(value)
        return known

    def mistyped(value: Any) -> bool:
        fraction = kind == "integer" and isinstance(value, float) and value != int(value)
        flag = isinstance(value, bool) and kind != "boolean"
        return fraction or flag or not isinstance(value, kinds.get(kind, object))

    def beyond(value: Any) -> bool:
        return isinstance(value, (int, float)) and not low <= value <= high

    tests: dict[str, Callable[[Any], bool]] = {
        "unique": repeated,
        "type": mistyped,
        "values": lambda value: str(value) not in rules["values"],
        "length": lambda value: beyond(len(value)),
        "range": beyond,
    }

    def breaks(value: Any) -> bool:
        missing = value is None or type(value).__name__ in ("NAType", "NaTType") or value != value  # noqa: PLR0124
        if missing or check not in tests:
            return bool(missing) and check == "nulls"
        return tests[check](value)

    return breaks


def kfnb_listed(raw: Any) -> Any:
    """The values of a column as Python's."""
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(raw, name):
            return getattr(raw, name)()
    return raw


def kfnb_percent(share: float) -> str:
    """A share as a percentage in at most three digits."""
    return f"{share * 100:.3g}%"
