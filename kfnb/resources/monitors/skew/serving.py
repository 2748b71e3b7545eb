"""The newest rows that a version was served, and what its transform made of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb import clock
from kfnb.extras import require
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.refused import raw_columns, refused_in
from kfnb.resources.services.api import engine_of
from kfnb.resources.services.model import Target
from kfnb.resources.services.requests import RequestWindow, values_of

_COLUMNS = ("id", "row", "status", "problems", "raw", "input", "features", "prediction")
_MOST = 2_000
"""Rows that are considered: the newest."""
_FIRST, _WIDER = 1.0, 4.0
"""Real seconds that are read first, and how many times more if too few rows were in them."""

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class ServedRows:
    """Rows by column: ``inputs`` as they were read, ``features`` as they were transformed, and their ``predictions``.

    ``refused`` are rows of requests that were refused, as they came; ``hidden`` are inputs that are not kept.
    """

    inputs: Columns = field(default_factory=dict)
    features: Columns = field(default_factory=dict)
    predictions: Sequence[Any] = ()
    refused: Columns = field(default_factory=dict)
    hidden: Collection[str] = ()

    @property
    def values(self) -> Columns:
        """The inputs of all rows, also of refused ones; without those that are not kept."""
        names = dict.fromkeys((*self.inputs, *self.refused))
        return {
            name: [*self.inputs.get(name, ()), *self.refused.get(name, ())]
            for name in names
            if name not in self.hidden
        }


def newest_rows(
    service: str, backend: str, since: float, until: float, target: Target, reference: MonitorReference
) -> ServedRows:
    """The newest rows that were served by a version between two times, and those of requests that it refused."""
    blocks = _newest_blocks(service, backend, clock.real_at(since), clock.real_at(until), target)
    hidden = (*target.log.drop, *target.log.hash)
    answered = [found for block in blocks if (found := _answered(block)) is not None]
    raw = [row for block in blocks for row in refused_in(block).rows][-_MOST:]
    inputs = _joined([_columns(one, "input") for one in answered])
    features = _joined([_columns(one, "features") for one in answered])
    predictions = _joined(
        [{"": values_of(one["prediction"], one.schema.field("prediction"))} for one in answered]
    )
    return ServedRows(inputs, features, predictions.get("", ()), raw_columns(raw, reference), hidden)


def _newest_blocks(service: str, backend: str, since: float, until: float, target: Target) -> Sequence[Any]:
    """The blocks of the newest requests, in a time that has enough of them: of millions, few are read."""
    span = _FIRST
    while True:
        start = max(since, until - span)
        window = RequestWindow(start, until, target.ref, _COLUMNS)
        blocks = list(engine_of(backend).requests(service, window))
        if start <= since or sum(one.num_rows for one in blocks) >= _MOST:
            return blocks
        span *= _WIDER


def _answered(block: Any) -> Any:
    """The rows of a block that were read and answered; None without any."""
    require("pyarrow", "monitoring a service")
    import pyarrow.compute as pc

    if "input" not in block.schema.names:
        return None
    found = block.filter(pc.and_(pc.is_valid(block["input"]), pc.is_valid(block["prediction"])))
    return found if found.num_rows else None


def _columns(block: Any, name: str) -> Columns:
    return dict(_fields(block, name)) if name in block.schema.names else {}


def _fields(block: Any, name: str) -> Iterator[tuple[str, list[Any]]]:
    for place, field_ in enumerate(block[name].type):
        yield field_.name, values_of(block[name].field(place), field_)


def _joined(pieces: Sequence[Columns]) -> Columns:
    """The newest rows of pieces, of those columns that all of them have."""
    if not pieces:
        return {}
    names = [name for name in pieces[0] if all(name in one for one in pieces)]
    return {name: [value for one in pieces for value in one[name]][-_MOST:] for name in names}
