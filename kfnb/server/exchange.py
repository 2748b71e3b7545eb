"""What is known of a request while it is answered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.server.column_reader import InputRows
from kfnb.server.columns import InputProblem


@dataclass(frozen=True)
class Predicted:
    """The predictions of a request, one for each row, as JSON has them.

    Of the table ``features``, which the transform made of the rows of several requests, those from ``start`` on are
    the request's; None without a transform.
    """

    values: list[Any]
    features: Any = None
    start: int = 0


@dataclass
class Exchange:
    """A request and what became of it. ``rows`` and ``predicted`` are None where it did not come to them.

    ``bad`` are its bad inputs by kind and column, and ``body`` is the request as it came, if there are some. ``code``
    is that of an error. ``at`` is in seconds since 1970, ``seconds`` is what the answer took.
    """

    id: str
    rows: InputRows | None = None
    predicted: Predicted | None = None
    bad: Mapping[tuple[InputProblem, str], int] = field(default_factory=dict)
    body: bytes = b""
    code: str = ""
    status: int = 0
    size: int = 0
    at: float = 0.0
    seconds: float = 0.0
    share: float = 1.0
    began: float = field(default_factory=time.perf_counter)

    def ended(self, status: int) -> float:
        """Note the status of the answer; the seconds that it took."""
        self.status, self.at, self.seconds = status, time.time(), time.perf_counter() - self.began
        return self.seconds
