"""What is kept of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DAYS, BYTES = 30.0, 1 << 30
"""For how long requests are kept, and how many bytes of them."""


@dataclass(frozen=True)
class LogPolicy:
    """What a service keeps of its requests: all of them for 30 days, and up to 1 GiB, by default.

    ``drop`` are columns that are not kept; of those in ``hash``, a digest with the service's own salt is. ``rate`` is
    the number of requests a second that are kept at most, about, a random sample of those that come (0: all). The
    oldest are removed after ``days``, and when there are more than ``size`` bytes. ``keep=False`` keeps nothing.
    """

    keep: bool = True
    drop: Sequence[str] = ()
    hash: Sequence[str] = ()
    rate: float = 0.0
    days: float = DAYS
    size: int = BYTES

    def __post_init__(self) -> None:
        for name in ("drop", "hash"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))

    @property
    def options(self) -> list[str]:
        """The policy as options of ``serve.py``."""
        words = [f"--log-drop={one}" for one in self.drop]  # a name may begin with a dash
        words += [f"--log-hash={one}" for one in self.hash]
        return [
            *words,
            "--log-rate",
            f"{self.rate}",
            "--log-days",
            f"{self.days}",
            "--log-size",
            f"{self.size}",
        ]


KEEP_ALL = LogPolicy()
