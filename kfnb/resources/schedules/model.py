"""Schedules: pipelines that run again and again, and when they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import RunState


@dataclass(frozen=True)
class Recurrence:
    """When runs start: by ``cron`` in KFP's form, or ``every`` number of seconds; and how many run at once.

    ``zone`` is the time zone of ``cron`` on this machine; a cluster has its own. ``digest`` is that of the notebook's
    pipeline (see ``staleness``), empty for another pipeline.
    """

    cron: str = ""
    every: int = 0
    start: float | None = None
    end: float | None = None
    catch_up: bool = True
    max_concurrency: int = 1
    enabled: bool = True
    zone: str = ""
    digest: str = ""


class ScheduleState(str):
    """The state of a schedule, in a word. It is never the last one: an ended schedule may be deleted."""

    __slots__ = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more will be new."""
        return False


@dataclass(frozen=True)
class ScheduledTick:
    """One time of a schedule: when it was ``due``, when it was done, and how that went.

    ``state`` is RUNNING, SUCCEEDED (the run was started), SKIPPED or FAILED. ``run`` is the id of the run,
    ``run_state`` its state as far as that was looked at.
    """

    due: float
    began: float
    state: str
    note: str = ""
    run: str = ""
    by_hand: bool = False
    run_state: RunState | None = None


@dataclass(frozen=True)
class MissedTicks:
    """Times at which no run was started: how many, the first and the last, and why.

    ``caught_up`` is whether one run was started for all of them later.
    """

    count: int
    first: float
    last: float
    reason: str
    caught_up: bool = False


@dataclass(frozen=True)
class ScheduleSnapshot:
    """A recurring run: by ``cron`` (in KFP's format), or after ``every`` seconds.

    With ``catch_up``, runs that were missed are run later: on a cluster each of them, here one for all. ``status`` is
    the cluster's if it is neither "enabled" nor "paused", and ``ENDED`` when its ``end`` has passed: then it is not
    ``enabled``, even if the cluster says so. ``stale`` is whether the notebook's pipeline differs from the one that is
    scheduled, as far as that is known.

    ``ticks`` are the last, the oldest first; of a cluster's schedule in a list, none. ``next`` is when the next run
    starts: of a cron on a cluster it is not known. ``notes`` are for the user, one line each. Here, ``zone`` is the
    time zone of ``cron``, and ``missed`` are the last that were.
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
    backend: str = "kubeflow"
    zone: str = ""
    next: float | None = None
    ticks: tuple[ScheduledTick, ...] = ()
    missed: tuple[MissedTicks, ...] = ()
    notes: tuple[str, ...] = ()
    digest: str = ""
    stale: bool = False

    @property
    def rhythm(self) -> str:
        """When it runs, as text: ``0 0 6 * * * Europe/Berlin``, ``every 1 h``."""
        if self.every is None:
            return f"{self.cron} {self.zone}".strip()
        for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
            if self.every >= seconds and not self.every % seconds:
                return f"every {self.every / seconds:.0f} {unit}"
        return f"every {self.every:.0f} s"

    @property
    def state(self) -> ScheduleState:
        """``enabled``, ``paused``, or what its ``status`` is."""
        return ScheduleState(self.status.lower() or ("enabled" if self.enabled else "paused"))


_OPEN = ScheduleState("enabled")


@dataclass(frozen=True)
class ShownSchedules:
    """Schedules as they are displayed and followed."""

    schedules: tuple[ScheduleSnapshot, ...]
    state: ScheduleState = _OPEN
