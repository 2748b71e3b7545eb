"""How long a server that does not answer is waited for, and what may be sent to it again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone

TOO_MANY = 429
"""The server has not looked at the request: it may be sent again, whatever it asks for."""
LATER = frozenset({TOO_MANY, 502, 503, 504})
"""The statuses with which a server or a gateway says that it may do it later."""


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds for a connection and for an answer, and between ``tries``: ``pause``, doubled each time, ``longest`` at
    most. After ``deadline`` seconds in all there is no other try, and an answer that still comes is given up.
    """

    tries: int = 4
    pause: float = 0.3
    longest: float = 10.0
    connect: float = 5.0
    read: float = 60.0
    deadline: float = 300.0

    def before(self, number: int, asked: str = "") -> float:
        """Seconds to wait after so many failures more than one; ``asked`` is what the server wants (Retry-After)."""
        wanted = _seconds(asked)
        pause = self.pause * 2 ** min(number, 16) if wanted is None else wanted
        return min(pause, self.longest) * _CHANCE.uniform(0.8, 1.0)


_CHANCE = random.Random()  # noqa: S311 - no secret; and not the global one, which a notebook may have seeded
RETRY = RetryPolicy()
"""As much as most have."""


def _seconds(asked: str) -> float | None:
    """What Retry-After says, in seconds from now: it is a number of them, or a date; None for anything else."""
    from email.utils import parsedate_to_datetime  # a kernel that asks no cluster does without

    if asked.strip().isdecimal():
        return float(asked)
    try:
        at = parsedate_to_datetime(asked)
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
        """The seconds until then; none once it has passed."""
        return max(0.0, self.at - time.monotonic())

    def within(self, seconds: float) -> float:
        """So many seconds, or what is left of them; never nothing, which sockets take for no limit or none at all."""
        return max(0.001, min(seconds, self.left))
