"""The requests of a service as a monitor counts them, and the labels that have come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kfnb import clock
from kfnb.extras import require
from kfnb.resources.monitors.panes import RequestBlock
from kfnb.resources.monitors.performance import Labelled
from kfnb.resources.services.api import engine_of
from kfnb.resources.services.model import Target
from kfnb.resources.services.requests import RequestWindow, values_of

COUNTED = ("id", "row", "time", "revision", "status", "latency_ms", "input", "prediction")
"""The columns of the log that are read."""
_FAILED = 400


def counted(service: str, backend: str, since: float, until: float, target: Target) -> Iterator[RequestBlock]:
    """The requests between two times, block by block. Predictions are those of ``target`` alone."""
    window = RequestWindow(clock.real_at(since), clock.real_at(until), columns=COUNTED)
    for block in engine_of(backend).requests(service, window):
        yield logged_block(block, target.revision)


def logged_block(block: Any, revision: int) -> RequestBlock:
    """A block of the log: what each request was (its first row tells), its rows, and the predictions of a revision."""
    require("pyarrow", "monitoring a service")
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pc.equal(block["row"], 0)
    requests = block.filter(first)
    times = pc.max(block["time"].cast(pa.int64())).as_py()
    served = block.filter(pc.equal(block["revision"], revision))
    predictions = values_of(served["prediction"], served.schema.field("prediction"))
    return RequestBlock(
        requests.num_rows,
        int(pc.sum(pc.greater_equal(requests["status"], _FAILED)).as_py() or 0),
        tuple(one for one in requests["latency_ms"].to_pylist() if one is not None),
        None if times is None else clock.shown_at(times / 1e6),
        _inputs(block),
        [one for one in predictions if one is not None],
    )


def _inputs(block: Any) -> Any:
    """The columns of the rows that were read, as a table; None where there are none."""
    require("pyarrow", "monitoring a service")
    import pyarrow as pa

    if "input" not in block.schema.names:
        return None
    read = block["input"].drop_null()
    if not len(read):
        return None
    return pa.Table.from_arrays(read.flatten(), names=[field.name for field in read.type])


def labelled(service: str, backend: str, target: Target, most: int, slices: Sequence[str]) -> list[Labelled]:
    """The newest labelled rows that a version has predicted, in the order of their labels."""
    found = engine_of(backend).labelled(service, target.revision, most, inputs=bool(slices))
    return [
        Labelled(
            one.prediction,
            one.label,
            clock.shown_at(one.at),
            {name: str(one.inputs.get(name)) for name in slices},
        )
        for one in found
    ]


def labelled_rows(service: str, backend: str, target: Target, most: int) -> tuple[Any, list[Any]]:
    """The newest labelled rows as a DataFrame of the model's inputs, and their labels."""
    require("pandas", "comparing versions")
    import pandas as pd

    found = engine_of(backend).labelled(service, target.revision, most, inputs=True)
    return pd.DataFrame([one.inputs for one in found]), [one.label for one in found]
