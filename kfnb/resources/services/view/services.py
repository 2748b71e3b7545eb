"""``draw_services``: a table of services."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.monitors.view.outlines import outline_cell
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.services.view.states import service_style
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import moment

COLUMNS = (
    Column("Name"),
    Column("State", whole=True),
    Column("Versions"),
    Column("Requests", number=True),
    Column("Errors", number=True),
    Column("Monitor", whole=True),
    Column("Address", whole=True),
    Column("Since", whole=True),
    Column("Owner", aside=True),
    Column("Backend", aside=True),
)


def draw_services(services: Sequence[ServiceSnapshot]) -> dict[str, str]:
    """Services as a mimebundle: a row each."""
    if not services:
        return bundle("Services", [Text("No services yet.")])
    table = Table("Services", COLUMNS, [_row(one) for one in services])
    errors = [f"{one.name}: {one.error}" for one in services if one.error]
    return bundle("Services", [table.without_empty_columns(), *map(Text, errors)])


def _row(one: ServiceSnapshot) -> list[Value]:
    style = service_style(one.state)
    answering = [each.counters for each in one.revisions if each.role != "shadow"]  # which gets copies
    requests = sum(each.requests for each in answering)
    failed = sum(each.failed for each in answering)
    return [
        one.name,
        TableCell(style.word, state_style=style),
        ", ".join(shown_share(each.ref, each.role, each.percent) for each in one.desired.targets),
        f"{requests:,}",
        f"{failed:,}",
        outline_cell(one.monitors),
        "" if one.state.finished else one.url,
        moment(one.started or one.created),
        one.owner,
        one.backend,
    ]


def shown_share(ref: str, role: str, percent: int) -> str:
    """A version and its share: ``churn@7 1 %``."""
    return f"{ref} (shadow)" if role == "shadow" else f"{ref} {percent} %"
