"""Recurring runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ScheduleSnapshot:
    """A recurring run on a cluster: by ``cron`` (in KFP's format), or after ``every`` seconds.

    With ``catch_up``, runs that were missed while it was paused are run later. ``status`` is the cluster's if it is
    neither "enabled" nor "paused", and ``ENDED`` when its ``end`` has passed: then it is not ``enabled``, even if the
    cluster says so.
    """

    id: str
    name: str
    pipeline: str = ""
    cron: str = ""
    every: float | None = None
    start: float | None = None
    end: float | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    experiment: str = ""
    enabled: bool = True
    catch_up: bool = True
    max_concurrency: int = 1
    created: float | None = None
    status: str = ""

    @property
    def rhythm(self) -> str:
        """When it runs, as text: ``0 0 6 * * *``, ``every 1 h``."""
        if self.every is None:
            return self.cron
        for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
            if self.every >= seconds and not self.every % seconds:
                return f"every {self.every / seconds:.0f} {unit}"
        return f"every {self.every:.0f} s"
