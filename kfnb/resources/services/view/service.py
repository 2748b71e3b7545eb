"""``draw_service``: a service: where it answers, its versions and their requests, and what was changed by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kfnb.resources.monitors.view.outlines import outlines
from kfnb.resources.services.latency import percentile
from kfnb.resources.services.model import Revision, ServiceSnapshot
from kfnb.resources.services.view.changes import changes
from kfnb.resources.services.view.comparison import compared
from kfnb.resources.services.view.problems import problems
from kfnb.resources.services.view.states import revision_style, service_style
from kfnb.resources.services.view.traffic import rates, traffic
from kfnb.resources.services.view.use import use
from kfnb.ui.blocks import Alert, Block, Section, Text, Title, bundle, notes_section
from kfnb.ui.mount_point import Home
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, moment

_VERSIONS = (
    Column("Version"),
    Column("Role", whole=True),
    Column("State", whole=True),
    Column("Restarts", number=True),
    Column("Check", whole=True),
)
_REQUESTS = (
    Column("Version"),
    Column("Requests", number=True),
    Column("A second", number=True),
    Column("Errors", number=True),
    Column("p50 ms", number=True),
    Column("p95 ms", number=True),
    Column("p99 ms", number=True),
    Column("Bad inputs", number=True),
    Column("Not kept", number=True),
    Column("Labels", number=True),
    Column("Accuracy", number=True),
    Column("Mean error", number=True),
)


@dataclass(frozen=True)
class ServiceSection:
    """A part of the view that changes by itself, known to the page by its ``id``."""

    id: str
    label: str
    blocks: Sequence[Block]


def sections(now: ServiceSnapshot) -> tuple[ServiceSection, ...]:
    """The view of a service, part by part: always the same ones, some of them perhaps empty."""
    parts: tuple[tuple[str, str, Iterator[Block]], ...] = (
        ("summary", f"Service {now.name}", _summary(now)),
        ("traffic", "Traffic", _traffic(now)),
        ("rates", "Requests a second", rates(now)),
        ("comparison", "Comparison", compared(now)),
        ("problems", "Problems", problems(now.revisions)),
        ("monitors", "Monitors", outlines(now.monitors, of_service=True)),
        ("use", "Use", use(now)),
        ("changes", "Changes", changes(now.history)),
        ("notes", "Notes", notes_section(now.notes)),
    )
    return tuple(ServiceSection(id, label, tuple(blocks)) for id, label, blocks in parts)


def draw_service(now: ServiceSnapshot, home: Home | None = None) -> dict[str, str]:
    """A service as a mimebundle."""
    blocks = [block for section in sections(now) for block in section.blocks]
    return bundle(f"Service {now.name}", blocks, home)


def _summary(now: ServiceSnapshot) -> Iterator[Block]:
    facts = (
        "" if now.state.finished else now.url,
        "stopping" if now.stopping else "",
        f"sticky by {now.desired.sticky}" if now.desired.sticky else "",
        "requests need a token" if now.token_file else "",
        f"by {now.owner}" if now.owner else "",
        moment(now.started or now.created),
    )
    yield Title(now.name, service_style(now.state), now.backend, facts)
    if now.failures:
        first, *others = dict.fromkeys(now.failures)
        yield Alert(service_style(now.state), first, [Text(one) for one in others])


def _traffic(now: ServiceSnapshot) -> Iterator[Block]:
    """Versions, their shares, and what was counted of their requests."""
    yield Section("Traffic", list(traffic(now)))
    yield Table("Versions", _VERSIONS, [_version(one) for one in now.revisions]).without_empty_columns()
    counted = [_requests(one) for one in now.revisions if one.counters.requests]
    if counted:
        yield Table("Requests", _REQUESTS, counted).without_empty_columns()


def _version(one: Revision) -> list[Value]:
    style = revision_style(one.state)
    return [
        TableCell(one.ref, hint=f"sha256 {one.target.digest[:12]}"),
        one.role,
        TableCell(style.word, state_style=style, hint=one.error),
        str(one.restarts) if one.restarts else "",
        _check(one),
    ]


def _check(one: Revision) -> str:
    if one.parity.passed is None:
        return "not checked" if one.target.unchecked else ""
    return "passed" if one.parity.passed else "failed"


def _requests(one: Revision) -> list[Value]:
    counters = one.counters
    bad = sum(sum(some.values()) for some in counters.bad_inputs.values())
    return [
        one.ref,
        f"{counters.requests:,}",
        "" if not counters.per_second else digits(counters.per_second, 3),
        f"{counters.failed:,}" if counters.failed else "",
        *(_rounded(percentile(counters.latency, percent)) for percent in (50, 95, 99)),
        f"{bad:,}" if bad else "",
        f"{counters.dropped:,}" if counters.dropped else "",
        f"{one.labels.rows:,}" if one.labels.rows else "",
        _rounded(one.labels.accuracy),
        _rounded(one.labels.mean_error),
    ]


def _rounded(value: float | None) -> str:
    return "" if value is None else digits(value, 3)
