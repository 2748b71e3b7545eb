"""``draw_service``: a service: where it answers, its versions and their requests, and what was changed by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kfnb.resources.services.check_report import remarks
from kfnb.resources.services.model import Revision, ServiceMove, ServiceSnapshot
from kfnb.resources.services.view.services import shown_share
from kfnb.resources.services.view.states import revision_style, service_style
from kfnb.ui.blocks import Alert, Block, CodeBlock, Items, Section, Text, Title, bundle, notes_section
from kfnb.ui.mount_point import Home
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, moment

_JSON = '-H "content-type: application/json"'
_MOST_MOVES, _MOST_FAILURES = 10, 5

_VERSIONS = (
    Column("Version"),
    Column("Role", whole=True),
    Column("State", whole=True),
    Column("Traffic", number=True),
    Column("Requests", number=True),
    Column("Requests/s", number=True),
    Column("Errors", number=True),
    Column("p50 ms", number=True),
    Column("p99 ms", number=True),
    Column("Bad inputs", number=True),
    Column("Restarts", number=True),
    Column("Check"),
)


def draw_service(now: ServiceSnapshot, home: Home | None = None) -> dict[str, str]:
    """A service as a mimebundle."""
    facts = (
        "" if now.state.finished else now.url,
        f"sticky by {now.desired.sticky}" if now.desired.sticky else "",
        "requests need a token" if now.token_file else "",
        f"by {now.owner}" if now.owner else "",
        moment(now.started or now.created),
    )
    blocks: list[Block] = [Title(now.name, service_style(now.state), now.backend, facts), *_errors(now)]
    blocks.append(_versions(now.revisions))
    blocks += [*_bad_inputs(now.revisions), *_failures(now.revisions), *_checks(now.revisions), *_use(now)]
    blocks += [*_moves(now.history), *notes_section(now.notes)]
    return bundle(f"Service {now.name}", blocks, home)


def _errors(now: ServiceSnapshot) -> Iterator[Block]:
    if now.failures:
        first, *others = dict.fromkeys(now.failures)
        yield Alert(service_style(now.state), first, [Text(one) for one in others])


def _versions(revisions: Sequence[Revision]) -> Block:
    return Table("Versions", _VERSIONS, [_row(one) for one in revisions]).without_empty_columns()


def _row(one: Revision) -> list[Value]:
    style, counters = revision_style(one.state), one.counters
    disagree = f"{one.role}, {counters.differing:,} of {counters.compared:,} rows differ"
    bad = sum(sum(some.values()) for some in counters.bad_inputs.values())
    share = one.percent if one.share is None else one.share
    return [
        TableCell(one.ref, hint=f"sha256 {one.target.digest[:12]}"),
        disagree if counters.compared else one.role,
        TableCell(style.word, state_style=style, hint=one.error),
        "copies" if one.role == "shadow" else f"{share:g} %",
        f"{counters.requests:,}",
        "" if not counters.per_second else f"{counters.per_second:g}",
        f"{counters.failed:,}" if counters.failed else "",
        _milliseconds(counters.percentile(50)),
        _milliseconds(counters.percentile(99)),
        f"{bad:,}" if bad else "",
        str(one.restarts) if one.restarts else "",
        _check(one),
    ]


def _check(one: Revision) -> str:
    if one.parity.passed is None:
        return "not checked" if one.target.unchecked else ""
    return "passed" if one.parity.passed else "failed"


def _milliseconds(value: float | None) -> str:
    return "" if value is None else digits(value, 3)


def _bad_inputs(revisions: Sequence[Revision]) -> Iterator[Block]:
    rows: list[list[Value]] = [
        [one.ref, kind, column, f"{count:,}"]
        for one in revisions
        for kind, columns in one.counters.bad_inputs.items()
        for column, count in columns.items()
    ]
    if rows:
        columns = (Column("Version"), Column("Kind"), Column("Column"), Column("Times", number=True))
        yield Section("Bad inputs", [Table("Bad inputs", columns, rows)])


def _failures(revisions: Sequence[Revision]) -> Iterator[Block]:
    found = sorted(
        ((failure, one.ref) for one in revisions for failure in one.counters.failures),
        key=lambda pair: -pair[0].at,
    )
    rows: list[list[Value]] = [
        [moment(failure.at), ref, str(failure.status), failure.code, failure.message]
        for failure, ref in found[:_MOST_FAILURES]
    ]
    if rows:
        columns = (
            Column("When", whole=True),
            Column("Version"),
            Column("Status"),
            Column("Code"),
            Column("Message"),
        )
        yield Section("Last failures", [Table("Last failures", columns, rows).without_empty_columns()])


def _checks(revisions: Sequence[Revision]) -> Iterator[Block]:
    """What was not checked; why a check failed is the revision's error."""
    for one in revisions:
        if lines := remarks(one.parity):
            yield Section(f"The check of {one.ref}", [Items(tuple(lines))])


def _use(now: ServiceSnapshot) -> Iterator[Block]:
    if now.state.finished or not now.url:
        return
    token = f' -H "Authorization: Bearer $(cat {now.token_file})"' if now.token_file else ""
    path = f"{now.url}/v1/models/{now.name}:predict"
    yield Section(
        "Use",
        [CodeBlock(f"kfnb.service({now.name!r}).predict(rows)\ncurl {path}{token} {_JSON} -d @rows.json")],
    )


def _moves(history: Sequence[ServiceMove]) -> Iterator[Block]:
    if not history:
        return
    columns = (
        Column("When", whole=True),
        Column("What", whole=True),
        Column("From"),
        Column("To"),
        Column("By"),
        Column("Because"),
    )
    rows: list[list[Value]] = [
        [moment(one.at), one.action, _shares(one.before), _shares(one.after), one.by, one.because]
        for one in history[:_MOST_MOVES]
    ]
    yield Section("Changes", [Table("Changes", columns, rows).without_empty_columns()])


def _shares(shares: Mapping[str, int]) -> str:
    return ", ".join(
        shown_share(ref, "" if percent else "shadow", percent) for ref, percent in shares.items()
    )
