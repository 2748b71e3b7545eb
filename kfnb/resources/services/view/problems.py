"""What went wrong with requests: errors by status, bad inputs, the last failures; and what was not checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from kfnb.resources.services.check_report import remarks
from kfnb.resources.services.model import Revision
from kfnb.ui.blocks import Block, Items, Section
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import digits, moment

_MOST_FAILURES, _MOST_INPUTS = 5, 20

_ERRORS = (
    Column("Version"),
    Column("Status", whole=True),
    Column("Times", number=True),
    Column("Of its requests", number=True),
)
_INPUTS = (Column("Version"), Column("Kind"), Column("Column"), Column("Times", number=True))
_FAILURES = (
    Column("When", whole=True),
    Column("Version"),
    Column("Status", whole=True),
    Column("Code", whole=True),
    Column("Message"),
    Column("Request", aside=True),
)


def problems(revisions: Sequence[Revision]) -> Iterator[Block]:
    """All of it; nothing where nothing went wrong."""
    yield from _errors(revisions)
    yield from _bad_inputs(revisions)
    yield from _failures(revisions)
    yield from _checks(revisions)


def _errors(revisions: Sequence[Revision]) -> Iterator[Block]:
    rows: list[list[Value]] = [
        [one.ref, _status(code), f"{count:,}", f"{digits(100 * count / one.counters.requests, 2)} %"]
        for one in revisions
        for code, count in sorted(one.counters.errors.items())
        if one.counters.requests
    ]
    if rows:
        yield Section("Errors", [Table("Errors", _ERRORS, rows)])


def _status(code: str) -> str:
    """``422 Unprocessable Entity``."""
    known = {str(one.value): one.phrase for one in HTTPStatus}
    return f"{code} {known[code]}" if code in known else code


def _bad_inputs(revisions: Sequence[Revision]) -> Iterator[Block]:
    found = sorted(
        (
            (count, one.ref, kind, column)
            for one in revisions
            for kind, columns in one.counters.bad_inputs.items()
            for column, count in columns.items()
        ),
        key=lambda one: -one[0],
    )
    rows: list[list[Value]] = [
        [ref, kind, column, f"{count:,}"] for count, ref, kind, column in found[:_MOST_INPUTS]
    ]
    if rows:
        more = f" (the {_MOST_INPUTS} most frequent of {len(found):,})" if len(found) > _MOST_INPUTS else ""
        yield Section(f"Bad inputs{more}", [Table("Bad inputs", _INPUTS, rows)])


def _failures(revisions: Sequence[Revision]) -> Iterator[Block]:
    found = sorted(
        ((failure, one.ref) for one in revisions for failure in one.counters.failures),
        key=lambda pair: -pair[0].at,
    )
    rows: list[list[Value]] = [
        [moment(failure.at), ref, str(failure.status), failure.code, failure.message, failure.id]
        for failure, ref in found[:_MOST_FAILURES]
    ]
    if rows:
        table = Table("Last failures", _FAILURES, rows).without_empty_columns()
        yield Section("Last failures", [table])


def _checks(revisions: Sequence[Revision]) -> Iterator[Block]:
    """What was not checked; why a check failed is the revision's error."""
    for one in revisions:
        if lines := remarks(one.parity):
            yield Section(f"The check of {one.ref}", [Items(tuple(lines))])
