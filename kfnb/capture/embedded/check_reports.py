"""``kf.check``: a table is checked against a schema, and the report is a part of the step's, whatever it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.capture.embedded.checks import kfnb_check_table, kfnb_check_validated
from kfnb.capture.embedded.figures import kfnb_captioned
from kfnb.capture.embedded.reports import kfnb_text
from kfnb.capture.embedded.schemas import kfnb_read_schema


def kfnb_check(artifact: Any) -> Callable[..., None]:
    """``kf.check``, which adds its report to the file ``artifact``."""

    def check(frame: Any, schema: Any) -> None:
        """Check a table against the schema in a file, or one of pandera; raise ``ValueError`` if it fails."""
        lines, name = kfnb_check_lines(frame, schema)
        kfnb_text(artifact)(kfnb_check_html(lines, name))
        print(kfnb_check_words(lines, name))
        failed = kfnb_check_failure(lines, name)
        if failed:
            raise ValueError(failed)

    return check


def kfnb_check_lines(frame: Any, schema: Any) -> tuple[list[dict[str, Any]], str]:
    """The lines of a table's check against the schema in a file, or one of pandera; and the schema's name."""
    if hasattr(schema, "validate"):
        return kfnb_check_validated(frame, schema), str(
            getattr(schema, "name", None) or type(schema).__name__
        )
    return kfnb_check_table(frame, kfnb_opened_schema(schema)), str(schema)


def kfnb_opened_schema(schema: Any) -> dict[str, Any]:
    """The schema in a file. Raises ``ValueError`` for a file that does not exist, or has mistakes."""
    try:
        with open(schema, encoding="utf-8") as file:
            return kfnb_read_schema(file.read(), str(schema))
    except FileNotFoundError:
        raise ValueError(
            f"the schema {schema} does not exist; kfnb.infer_schema(data, {str(schema)!r}) writes one of data that is"
            " as it should be"
        ) from None
    except TypeError:
        raise ValueError(
            f"kf.check needs the path of a schema, or one of pandera, not {type(schema).__name__}"
        ) from None


def kfnb_check_failure(lines: list[dict[str, Any]], schema: str) -> str:
    """The error of a check that failed; empty if it did not."""
    failed = [line for line in lines if line["verdict"] == "fail"]
    if not failed:
        return ""
    first = kfnb_check_line(failed[0])
    more = f"; and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{len(failed)} of {len(lines)} checks of {schema} failed: {first}{more}"


def kfnb_check_line(line: dict[str, Any]) -> str:
    """A line in words: ``age range: 3 to 130, 0.2% outside (limit 18 to 92)``."""
    name = f"{line['column']} {line['check']}".strip()
    return f"{name}: {line['value']} (limit: {line['limit']})"


def kfnb_check_words(lines: list[dict[str, Any]], schema: str) -> str:
    """A report as text: a line for each check that warned or failed."""
    words = {"ok": "passed", "warn": "warned", "fail": "failed", "skipped": "skipped"}
    count = {verdict: sum(line["verdict"] == verdict for line in lines) for verdict in words}
    head = ", ".join(f"{number} {words[verdict]}" for verdict, number in count.items() if number)
    found = [f"check against {schema}: {head or 'nothing to check'}"]
    for line in sorted(lines, key=lambda one: one["verdict"] != "fail"):
        if line["verdict"] != "ok":
            examples = ", ".join(f"row {place}: {value}" for place, value in line["examples"])
            found.append(
                f"  {line['verdict']}: {kfnb_check_line(line)}{f'  [{examples}]' if examples else ''}"
            )
    return "\n".join(found)


def kfnb_check_html(lines: list[dict[str, Any]], schema: str) -> str:
    """A report as a fragment of a page: what failed first, then what warned, then what passed."""
    from html import escape

    colors = {"fail": "#c5221f", "warn": "#b06000", "skipped": "#5f6368", "ok": "#188038"}
    words = {"fail": "failed", "warn": "warning", "skipped": "skipped", "ok": "passed"}
    style = "padding:3px 12px 3px 0;border-bottom:1px solid #ddd;text-align:left;vertical-align:top"

    def row(line: dict[str, Any]) -> str:
        verdict = line["verdict"]
        examples = "; ".join(f"row {place}: {value}" for place, value in line["examples"])
        cells = [line["column"], line["check"], line["limit"], line["value"]]
        cells += [f"{line['count']:,}" if line["count"] else "", examples]
        mark = f'<td style="{style};color:{colors[verdict]}"><b>{words[verdict]}</b></td>'
        rest = "".join(f'<td style="{style}">{escape(str(one))}</td>' for one in cells)
        return f"<tr>{mark}{rest}</tr>"

    order = list(colors)
    names = ("", "column", "check", "limit", "value", "rows", "examples")
    head = "".join(f'<th style="{style};border-bottom-color:#999">{name}</th>' for name in names)
    body = "".join(map(row, sorted(lines, key=lambda line: order.index(line["verdict"]))))
    table = f'<table style="border-collapse:collapse;font-size:13px"><tr>{head}</tr>{body}</table>'
    title = kfnb_check_words(lines, schema).split("\n")[0]
    return kfnb_captioned(table, title)
