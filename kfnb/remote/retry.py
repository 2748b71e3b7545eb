"""How long a server that does not answer is waited for."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """Seconds for a connection and for an answer, and between ``tries``: ``pause``, doubled each time, ``longest`` at
    most.
    """

    tries: int = 4
    pause: float = 0.3
    longest: float = 10.0
    connect: float = 5.0
    read: float = 60.0

    def before(self, number: int, asked: str = "") -> float:
        """Seconds to wait after so many failures more than one; ``asked`` is what the server wants (Retry-After)."""
        pause = float(asked) if asked.isdigit() else self.pause * 2 ** min(number, 16)
        return min(pause, self.longest) * _CHANCE.uniform(0.8, 1.0)


_CHANCE = random.Random()  # noqa: S311 - no secret; and not the global one, which a notebook may have seeded
RETRY = Retry()
"""As much as most have."""
