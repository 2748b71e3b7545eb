"""The retry policy: how long to wait for a server, and which requests may be sent again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone

TOO_MANY = 429
"""The server has not processed the request: any request may be sent again."""
LATER = frozenset({TOO_MANY, 502, 503, 504})
"""The statuses of a server or a gateway that may succeed later."""


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds for a connection and for an answer, and between ``tries``: ``pause``, doubled each time, ``longest`` at
    most. After ``deadline`` seconds in total there is no other try, and an unfinished answer is given up.
    """

    tries: int = 4
    pause: float = 0.3
    longest: float = 10.0
    connect: float = 5.0
    read: float = 60.0
    deadline: float = 300.0

    def before(self, number: int, retry_after: str = "") -> float:
        """Seconds to wait after a failure, given the failures before it and the server's Retry-After."""
        requested = _seconds(retry_after)
        pause = self.pause * 2 ** min(number, 16) if requested is None else requested
        return min(pause, self.longest) * _CHANCE.uniform(0.8, 1.0)


_CHANCE = random.Random()  # noqa: S311 - not a secret; nor the global state, which notebooks may seed
RETRY = RetryPolicy()
"""The default policy."""


def _seconds(retry_after: str) -> float | None:
    """The value of Retry-After, a number of seconds or a date, in seconds from now; None for anything else."""
    from email.utils import parsedate_to_datetime  # a kernel that asks no cluster does without

    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    return max(0.0, at.timestamp() - datetime.now(timezone.utc).timestamp())


@dataclass(frozen=True)
class Deadline:
    """The moment after which a request is given up (``time.monotonic``)."""

    at: float

    @property
    def left(self) -> float:
        """The seconds until then; 0 once it has passed."""
        return max(0.0, self.at - time.monotonic())

    def within(self, seconds: float) -> float:
        """The timeout in seconds, limited to what is left; always positive: for sockets, 0 and None are special."""
        return max(0.001, min(seconds, self.left))
