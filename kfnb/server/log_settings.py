"""What a server keeps of requests, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DAYS, BYTES = 30.0, 1 << 30
"""For how long requests are kept, and how many bytes of them, by default."""


@dataclass(frozen=True)
class LogSettings:
    """The folder of a request log, which several processes share, and what this one writes there.

    ``drop`` are columns that are not kept; of those in ``hash``, a digest with the service's own salt is. ``rate`` is
    the number of requests a second that are kept at most, about (0: all). The oldest are removed after ``days``, and
    when there are more than ``size`` bytes. ``version`` and ``revision`` are what the files say of this process.
    """

    folder: Path
    drop: Sequence[str] = ()
    hash: Sequence[str] = ()
    rate: float = 0.0
    days: float = DAYS
    size: int = BYTES
    version: str = "1"
    revision: int = 1
