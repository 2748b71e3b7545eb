"""The predictions in an answer of a revision, whichever protocol it speaks."""

from __future__ import annotations

import gzip
import json
from typing import Any

from kfnb.server.http_messages import HttpResponse

COMPRESSED = "gzip"


def predictions_of(response: HttpResponse) -> list[Any]:
    """The predictions of an answer by row. Raises what reading it raises (``UNREADABLE``)."""
    return predictions_in(response.body, response.headers.get("content-encoding", ""))


def predictions_in(body: bytes, encoding: str) -> list[Any]:
    """The predictions by row in the body of an answer, V1 or V2. Raises ``UNREADABLE``."""
    answer = json.loads(gzip.decompress(body) if encoding == COMPRESSED else body)
    if "predictions" in answer:
        return list(answer["predictions"])
    columns = [(one["shape"][0], one["data"]) for one in answer["outputs"]]
    return [_alone([_of_row(data, at, rows) for rows, data in columns]) for at in range(columns[0][0])]


def _of_row(data: list[Any], at: int, rows: int) -> Any:
    """What the row ``at`` has of a tensor with ``rows`` rows."""
    return _alone(data[at * len(data) // rows : (at + 1) * len(data) // rows])


def _alone(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, EOFError)
"""What is raised for an answer that is not as the protocols have it."""
