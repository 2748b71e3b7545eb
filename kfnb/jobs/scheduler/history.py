"""What has happened to a schedule, from its events: its ticks, those that it missed, and whether it is paused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from kfnb.jobs.fold import Event, JobFold

KEPT = 500
"""How many ticks, and how many times that some were missed, are kept of a schedule."""
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 6 * 3600.0


class TickState(str, Enum):
    """How a tick ended, or that it has not."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"

    def __str__(self) -> str:
        return self.value


class Reason(str, Enum):
    """Why ticks were missed."""

    OFF = "the scheduler was not running"
    SLEPT = "the machine was asleep, or its clock was set forward"
    PAUSED = "the schedule was paused"
    BUSY = "the tick before was still running"
    BACKS_OFF = "the ticks before failed"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Tick:
    """One tick. ``due`` is its time; ``by_hand`` if it was asked for and no time of the schedule.

    ``note`` is what it says of itself, or why it failed; ``made`` is what it made (the id of a run).
    """

    due: float
    by_hand: bool = False
    state: TickState = TickState.RUNNING
    began: float = 0.0
    ended: float | None = None
    note: str = ""
    made: str = ""


@dataclass(frozen=True)
class Missed:
    """Ticks that were not done at their times: how many, from ``first`` to ``last``, and why.

    ``caught_up`` is whether one was done late for all of them.
    """

    count: int
    first: float
    last: float
    reason: Reason
    at: float = 0.0
    caught_up: bool = False


class ScheduleHistory(JobFold[str]):
    """A schedule's past. ``through`` is the time until which it is settled: its ticks were done, or noted as missed."""

    FIELDS: ClassVar[Mapping[str, frozenset[str]]] = {
        "created": frozenset({"through", "enabled"}),
        "tick": frozenset({"due", "by_hand", "began"}),
        "ended": frozenset({"state", "at", "note", "made"}),
        "missed": frozenset({"count", "first", "last", "reason", "at", "caught_up"}),
        "enabled": frozenset({"enabled", "at"}),
        "set_back": frozenset({"shown", "at"}),
    }

    def __init__(self) -> None:
        super().__init__()
        self.enabled = True
        self.through = 0.0
        self.resumed = 0.0
        self.failures = 0
        self.notes_of_clock: tuple[tuple[float, float], ...] = ()
        self._ticks: OrderedDict[str, Tick] = OrderedDict()
        self._missed: list[Missed] = []

    @property
    def finished(self) -> bool:
        """Never: a schedule continues until it is deleted."""
        return False

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The last ticks, in order."""
        return tuple(self._ticks.values())

    @property
    def missed(self) -> tuple[Missed, ...]:
        """When ticks were missed lately, in order."""
        return tuple(self._missed)

    @property
    def running(self) -> tuple[str, Tick] | None:
        """The key of the tick that has begun and not ended, and the tick."""
        for key, tick in reversed(self._ticks.items()):
            if tick.state is TickState.RUNNING:
                return key, tick
        return None

    @property
    def waits_until(self) -> float:
        """When ticks are done again after some that failed; 0 if the last one did not."""
        last = next((one for one in reversed(self.ticks) if one.ended is not None), None)
        if not self.failures or last is None:
            return 0.0
        wait = min(_FIRST_WAIT * 2.0 ** min(self.failures - 1, 20), _LONGEST_WAIT)
        return (last.ended or 0.0) + wait

    def did(self, due: float) -> bool:
        """Whether the tick of that time was begun."""
        return key_of(due) in self._ticks

    def tick(self, key: str) -> Tick | None:
        """The tick with that key, if it was begun."""
        return self._ticks.get(key)

    def has(self, key: str) -> bool:
        """Whether the tick with that key was begun."""
        return key in self._ticks

    def _part(self, event: Event) -> str:
        return event.task

    def _concerns(self, event: Event) -> bool:
        return event.kind != "ended" or event.task in self._ticks

    def _on_created(self, event: Event) -> None:
        self.through, self.enabled = float(event.data["through"]), bool(event.data["enabled"])

    def _on_tick(self, event: Event) -> None:
        tick = self._made(Tick, event.data)
        self._ticks[event.task] = tick
        while len(self._ticks) > KEPT:
            self._ticks.popitem(last=False)
        if not tick.by_hand:
            self.through = max(self.through, tick.due)

    def _on_ended(self, event: Event) -> None:
        data, state = event.data, TickState(event.data["state"])
        self._ticks[event.task] = replace(
            self._ticks[event.task],
            state=state,
            ended=float(data["at"]),
            note=str(data.get("note", "")),
            made=str(data.get("made", "")),
        )
        if state is not TickState.SKIPPED:
            self.failures = self.failures + 1 if state is TickState.FAILED else 0

    def _on_missed(self, event: Event) -> None:
        missed = self._made(Missed, {**event.data, "reason": Reason(event.data["reason"])})
        self._missed = [*self._missed[-KEPT + 1 :], missed]
        self.through = max(self.through, missed.last)

    def _on_enabled(self, event: Event) -> None:
        enabled = bool(event.data["enabled"])
        if enabled and not self.enabled:
            self.resumed = float(event.data["at"])
        self.enabled = enabled

    def _on_set_back(self, event: Event) -> None:
        shown, at = float(event.data["shown"]), float(event.data["at"])
        self.notes_of_clock = (*self.notes_of_clock[-KEPT + 1 :], (shown, at))
        self.through = at


def key_of(due: float) -> str:
    """How a tick of the schedule's own times is called: the same by whoever starts it."""
    return f"{due:.3f}"
