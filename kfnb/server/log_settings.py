"""What a server keeps of requests, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kfnb.server.log_policy import KEEP_ALL, LogPolicy


@dataclass(frozen=True)
class LogSettings:
    """The folder of a request log, which several processes share, and what this one writes there.

    ``version`` and ``revision`` are what the files say of it.
    """

    folder: Path
    policy: LogPolicy = KEEP_ALL
    version: str = "1"
    revision: int = 1
