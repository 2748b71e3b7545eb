"""Logged rows of requests as a monitor counts them: the same here and in a pod."""

from __future__ import annotations

from typing import Any

from kfnb.extras import require
from kfnb.resources.monitors.panes import RequestBlock
from kfnb.resources.monitors.refused import refused_in
from kfnb.resources.services.requests import values_of

COUNTED = ("id", "row", "time", "version", "status", "latency_ms", "problems", "raw", "input", "prediction")
"""The columns that are read."""
_FAILED = 400


def request_block(block: Any, version: str) -> RequestBlock:
    """A block of a request log: what each request was (its first row tells), its rows, and a version's predictions.

    A version that is served again, or with other settings, is another revision whose predictions are the same.
    """
    require("pyarrow", "monitoring a service")
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pc.equal(block["row"], 0)
    requests = block.filter(first)
    times = pc.max(block["time"].cast(pa.int64())).as_py()
    served = block.filter(pc.equal(block["version"], version))
    predictions = values_of(served["prediction"], served.schema.field("prediction"))
    return RequestBlock(
        requests.num_rows,
        int(pc.sum(pc.greater_equal(requests["status"], _FAILED)).as_py() or 0),
        tuple(one for one in requests["latency_ms"].to_pylist() if one is not None),
        None if times is None else times / 1e6,
        _inputs(block),
        [one for one in predictions if one is not None],
        refused_in(block),
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
