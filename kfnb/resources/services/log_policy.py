"""What a service keeps of the requests that it answers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.errors import UsageError
from kfnb.server.log_settings import BYTES, DAYS
from kfnb.text.quantity import amount

_SIZE = re.compile(r"\d+(\.\d+)?[kMGT]i?")
_LEAST = 10_000_000
"""Bytes that a log has at least: a file of it may be as large."""


@dataclass(frozen=True)
class LogPolicy:
    """What is kept of requests. Everything is, without further words, for 30 days and up to 1 GiB.

    ``drop`` are columns that are not kept; of those in ``hash``, a digest with the service's own salt is. ``rate`` is
    the number of requests a second that are kept at most, about, a random sample of those that come (0: all). The
    oldest are removed after ``days``, and when there are more than ``size`` (``"500M"``). ``keep=False`` keeps nothing.
    """

    keep: bool = True
    drop: Sequence[str] = ()
    hash: Sequence[str] = ()
    rate: float = 0.0
    days: float = DAYS
    size: str = ""

    def __post_init__(self) -> None:
        for name in ("drop", "hash"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return int(amount(self.size)) if self.size else BYTES

    def check(self) -> LogPolicy:
        """The policy itself. Raises ``UsageError`` for one that makes no sense."""
        both = [name for name in self.drop if name in self.hash]
        if both:
            raise UsageError(f"column {both[0]} is to be dropped and hashed: choose one", ref=both[0])
        if not (math.isfinite(self.rate) and self.rate >= 0):
            raise UsageError(f"--log-rate {self.rate:g}: give requests a second, from 0 on")
        if not (math.isfinite(self.days) and self.days > 0):
            raise UsageError(f"--log-days {self.days:g}: give a number of days above 0")
        if self.size and (not _SIZE.fullmatch(self.size) or self.bytes < _LEAST):
            raise UsageError(f"--log-size {self.size}: write 500M or 2G, from 10M on")
        return self

    @property
    def options(self) -> list[str]:
        """The policy as options of ``serve.py``."""
        words = [word for one in self.drop for word in ("--log-drop", one)]
        words += [word for one in self.hash for word in ("--log-hash", one)]
        words += ["--log-rate", repr(self.rate), "--log-days", repr(self.days), "--log-size", str(self.bytes)]
        return words


KEEP_ALL = LogPolicy()
"""What is kept where nothing else is said."""


def log_policy(log: LogPolicy | bool) -> LogPolicy:
    """The policy that users name: one, or whether requests are kept. Raises ``UsageError``."""
    return log.check() if isinstance(log, LogPolicy) else LogPolicy(keep=log)
