"""Events, and what they add up to: the state of a job, whichever version of kfnb wrote them.

An unknown event, state or field is skipped and counted; it is never an error, since a newer kfnb may have used the
home.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Generic, TypeVar

T = TypeVar("T")
P = TypeVar("P")


@dataclass(frozen=True)
class Event:
    """One fact about a job. ``task`` is the part of the job (a run's task, a study's trial), empty for the job itself.

    ``time`` is in epoch seconds; ``data`` is JSON, and its meaning depends on the job's kind.
    """

    seq: int
    time: float
    kind: str
    task: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class JobFold(ABC, Generic[P]):
    """Adds events up, one at a time. ``seq`` is the last event's number, ``skipped`` how many were not fully known.

    A subclass has a method ``_on_KIND`` for each kind of event, which raises before it changes anything, and names in
    ``FIELDS`` what the data of each kind may hold.
    """

    FIELDS: ClassVar[Mapping[str, frozenset[str]]] = {}

    def __init__(self) -> None:
        self.seq = 0
        self.skipped = 0
        self._in_part = False

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the job is finished."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user about events that were not understood; empty if all were."""
        if not self.skipped:
            return ()
        many = "1 event" if self.skipped == 1 else f"{self.skipped} events"
        were = "was" if self.skipped == 1 else "were"
        return (f"{many} of a newer kfnb {were} skipped; update kfnb to see everything",)

    def add(self, event: Event) -> None:
        """Take one more event into account."""
        self.seq = max(self.seq, event.seq)
        change = getattr(self, f"_on_{event.kind}", None)
        if change is None or not self._concerns(event):
            self.skipped += change is None
            return
        self._in_part = not event.data.keys() <= self.FIELDS[event.kind]
        try:
            change(event)
        except (TypeError, ValueError, LookupError, AttributeError):
            self._in_part = True
        self.skipped += self._in_part

    def take(self, events: Iterable[Event]) -> set[P]:
        """Take events into account; the parts of the job that they are about."""
        touched = set()
        for event in events:
            self.add(event)
            touched.add(self._part(event))
        return touched

    @abstractmethod
    def _part(self, event: Event) -> P:
        """The part of the job that an event is about, as this kind of job names it."""

    def _concerns(self, event: Event) -> bool:
        """Whether the part of the job that an event is about exists."""
        del event
        return True

    def _made(self, cls: type[T], data: Mapping[str, Any]) -> T:
        """A ``cls`` of those fields of ``data`` that it has; others are counted."""
        known = {name: value for name, value in data.items() if name in _fields(cls)}
        self._in_part |= len(known) < len(data)
        return cls(**known)


def _fields(cls: Any) -> frozenset[str]:
    return frozenset(one.name for one in fields(cls))
