"""What a server keeps of requests, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DAYS, BYTES = 30.0, 1 << 30
"""For how long requests are kept, and how many bytes of them."""


@dataclass(frozen=True)
class LogSettings:
    """The folder of a request log, which several processes share, and what each keeps there.

    ``drop`` are columns that are not kept, and of those in ``hashed`` a digest is kept in the place of the value.
    ``per_second`` is the number of requests that are kept of each second, about, a random sample; 0 keeps all. The
    oldest requests are removed after ``days``, and when there are more than ``size`` bytes of them.
    """

    folder: Path
    version: str = "1"
    revision: int = 1
    drop: frozenset[str] = frozenset()
    hashed: frozenset[str] = frozenset()
    per_second: float = 0.0
    days: float = DAYS
    size: int = BYTES
