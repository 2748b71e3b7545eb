"""Who gets which share of a service's requests, and how many come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from kfnb.resources.services.model import CountSample, Revision, ServiceSnapshot
from kfnb.ui.blocks import Block, Text
from kfnb.ui.plot import Plot, PlotLine, Point, axis
from kfnb.ui.share_bar import BarShare, ShareBar
from kfnb.ui.words import digits, moment

_MINUTE = 60.0
_WIDE, _HIGH = 480, 90
_NEAR = 0.5
"""Points of percent by which the true shares may differ from the requested ones."""
_CLOSEST = 0.001
"""Seconds that two samples of a rate are apart at least."""


def traffic(now: ServiceSnapshot) -> Iterator[Block]:
    """The shares: those that were requested, and the true ones."""
    split = [one for one in now.current if one.role != "shadow"]
    yield ShareBar("requested", [BarShare(one.ref, one.percent, _series(one)) for one in split])
    known = [one for one in now.revisions if one.share is not None and one.role != "shadow"]
    true = [one for one in known if one.share or one in split]
    if now.state.answers and true:
        yield ShareBar("now", [BarShare(one.ref, one.share or 0.0, _series(one)) for one in true])
        if any(abs((one.share or 0.0) - one.percent) > _NEAR for one in true if one in split):
            yield Text("The true shares are not the requested ones yet.")
    elif now.state.answers:
        yield Text("The true shares are not known.")
    if shadows := [one.ref for one in now.current if one.role == "shadow"]:
        yield Text(f"{', '.join(shadows)} gets copies of all requests.")


def rates(now: ServiceSnapshot) -> Iterator[Block]:
    """Requests a second of the last minutes, a line for each version; nothing where none came."""
    known = [(one, _rates(one.counters.recent)) for one in now.revisions]
    lines = [(one, points) for one, points in known if any(rate for _, rate in points)]
    if not lines:
        return
    end = max(points[-1][0] for _, points in lines)
    drawn = [
        PlotLine(
            one.ref,
            [((at - end) / _MINUTE, rate) for at, rate in points],
            f"at most {digits(max(rate for _, rate in points), 3)}",
            series=_series(one),
        )
        for one, points in lines
    ]
    values = [point for line in drawn for point in line.points]
    yield Plot(
        f"Requests a second until {moment(end)[11:]}",
        drawn,
        axis("minutes", [at for at, _ in values], _WIDE),
        axis("", [0.0, *(rate for _, rate in values)], _HIGH),
    )


def _rates(samples: Sequence[CountSample]) -> list[Point]:
    """When, and how many requests a second since the sample before."""
    return [
        (one.at, max(0, one.requests - before.requests) / (one.at - before.at))
        for before, one in pairwise(samples)
        if one.at - before.at > _CLOSEST
    ]


def _series(one: Revision) -> int:
    """Whose colour a revision has: the same one in all drawings, and for all of its life."""
    return one.number - 1
