"""Versions compared: whether the canary fails more often, and how often a shadow would have answered differently."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.entities.proportions import Proportion
from kfnb.resources.services.comparison import CanaryComparison, Verdict, comparison_of
from kfnb.resources.services.model import Revision, ServiceSnapshot
from kfnb.ui.blocks import Block, Section, Text
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import digits, moment

_COLUMNS = (
    Column("Version"),
    Column("Role", whole=True),
    Column("Requests", number=True),
    Column("Errors", number=True),
    Column("Error rate", number=True),
    Column("95 % interval", number=True),
)
_LEAST_CHANCE = 0.0001


def compared(now: ServiceSnapshot) -> Iterator[Block]:
    """The canary beside the default, and what shadows would have answered; nothing where nothing can be compared."""
    found = comparison_of(now)
    if found is not None:
        default, canary = (
            next(one for one in now.current if one.role == role) for role in ("default", "canary")
        )
        rows = [_row(default, found.default), _row(canary, found.canary)]
        text = Text(_verdict(found, canary.ref, default.ref))
        heading = f"Canary and default since {moment(found.since)}"
        yield Section(heading, [Table("Canary and default", _COLUMNS, rows), text])
    disagreeing = [Text(_disagreement(one)) for one in now.revisions if one.counters.compared]
    if disagreeing:
        yield Section("Predictions for the same inputs", disagreeing)


def _row(one: Revision, failed: Proportion) -> list[Value]:
    rate = _percent(failed.rate) if failed.total else ""
    interval = _interval(failed) if failed.total else ""
    return [one.ref, one.role, f"{failed.total:,}", f"{failed.count:,}", rate, interval]


def _verdict(found: CanaryComparison, canary: str, default: str) -> str:
    chance = f"p {'<' if found.chance < _LEAST_CHANCE else '='} {digits(max(found.chance, _LEAST_CHANCE), 2)}"
    most = f"{digits(100 * found.difference[1], 2)} points"
    words: dict[Verdict, str] = {
        "worse": f"{canary} fails more often than {default} ({chance}, Fisher's exact test).",
        "better": f"{canary} fails less often than {default} ({chance}, Fisher's exact test).",
        "same": f"{canary} is as good as {default}: its error rate is at most {most} higher (95 % confidence).",
        "too few": f"Not enough yet: {found.canary.total:,} requests of {found.needed:,}.",
        "open": f"Not decided: the error rate of {canary} may be up to {most} higher (95 % confidence).",
    }
    return words[found.verdict]


def _disagreement(one: Revision) -> str:
    counters = one.counters
    differing = Proportion(counters.differing, counters.compared)
    skipped = f" {counters.skipped:,} copies were left out." if counters.skipped else ""
    return (
        f"{one.ref} differs from the answers in {differing.count:,} of {differing.total:,} rows: "
        f"{_percent(differing.rate)} (95 % interval {_interval(differing)}).{skipped}"
    )


def _interval(one: Proportion) -> str:
    low, high = one.interval
    return f"{digits(100 * low, 2)} to {_percent(high)}"


def _percent(share: float) -> str:
    return f"{digits(100 * share, 2)} %"
