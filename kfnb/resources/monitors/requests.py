"""The requests of a service as a monitor counts them, and the labels that have come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kfnb import clock
from kfnb.extras import require
from kfnb.resources.monitors.blocks import COUNTED, request_block
from kfnb.resources.monitors.panes import RequestBlock
from kfnb.resources.monitors.performance import Labelled
from kfnb.resources.services.api import engine_of
from kfnb.resources.services.model import Target
from kfnb.resources.services.requests import RequestWindow


def counted(service: str, backend: str, since: float, until: float, target: Target) -> Iterator[RequestBlock]:
    """The requests between two times, block by block. Predictions are those of ``target`` alone."""
    window = RequestWindow(clock.real_at(since), clock.real_at(until), columns=COUNTED)
    for block in engine_of(backend).requests(service, window):
        found = request_block(block, str(target.version))
        yield replace(found, newest=None if found.newest is None else clock.shown_at(found.newest))


def labelled(service: str, backend: str, target: Target, most: int, slices: Sequence[str]) -> list[Labelled]:
    """The newest labelled rows that a version has predicted, in the order of their labels."""
    found = engine_of(backend).labelled(service, target.ref, most, inputs=bool(slices))
    return [
        Labelled(
            one.prediction,
            one.label,
            clock.shown_at(one.at),
            {name: str(one.inputs.get(name)) for name in slices},
        )
        for one in found
    ]


def last_label(service: str, backend: str) -> float | None:
    """When the newest label came, of any version; None if none did."""
    found = engine_of(backend).labelled(service, "", 1)
    return clock.shown_at(found[-1].at) if found else None


def labelled_rows(service: str, backend: str, target: Target, most: int) -> tuple[Any, list[Any]]:
    """The newest labelled rows as a DataFrame of the model's inputs, and their labels."""
    require("pandas", "comparing versions")
    import pandas as pd

    found = engine_of(backend).labelled(service, target.ref, most, inputs=True)
    return pd.DataFrame([one.inputs for one in found]), [one.label for one in found]
