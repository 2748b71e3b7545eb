"""Where KServe's logger puts the requests of a service, and where their labels are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LogFolder:
    """Where a service's events are: below ``path`` (``bucket/key``); ``labels`` is where those of its rows are.

    ``delay`` are the seconds after which both events of a request are surely there, or will never be.
    """

    path: str
    delay: float = 60.0
    labels: str = ""
