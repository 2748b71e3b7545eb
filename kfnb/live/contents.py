"""A subject as it is sent to the page, and what of it is new. A new noun needs no more than ``StaticWire``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from kfnb.live.messages import StaticPart
from kfnb.live.redraw import Redraw

T = TypeVar("T")

PAUSE = 0.4
"""Seconds between two drawings that are sent, at least."""


@dataclass(frozen=True)
class Content:
    """A head and parts, or those fields of them that are new; false where nothing is."""

    head: Mapping[str, Any]
    parts: Sequence[Mapping[str, Any]]

    def __bool__(self) -> bool:
        return bool(self.head or self.parts)


NOTHING = Content({}, ())
"""Nothing is new."""


class Wire(Protocol):
    """How one subject is sent to the page, from what is known of it at two moments.

    ``each_refresh`` says that something may be new though the subject has not changed: time that has passed.
    """

    each_refresh: bool

    def whole(self, shown: Any, /) -> Content:
        """All of it."""
        ...

    def change(self, old: Any, new: Any, /) -> Content | None:
        """What is new since ``old``; None where only the whole would do."""
        ...


class StaticWire:
    """A subject by its static HTML: for any type that the page has no view of, so that it is live all the same.

    ``draw`` gives the mimebundle that is displayed of it. It is drawn anew when it has changed and, for the time that
    it takes, every now and then.
    """

    each_refresh = True

    def __init__(self, draw: Callable[[Any], Mapping[str, str]]) -> None:
        self._draw = draw
        self._redraw = Redraw()
        self._html = ""

    def whole(self, shown: Any) -> Content:
        """Its HTML."""
        self._html = self._drawn(shown)
        return Content({}, [self._part()])

    def change(self, old: Any, new: Any) -> Content:
        """Its HTML, if that is due and differs from what was sent last."""
        self._redraw.stale = self._redraw.stale or old != new
        if not (is_finished(new) or self._redraw.due(began(new))):
            return NOTHING
        html = self._drawn(new)
        if html == self._html:
            return NOTHING
        self._html = html
        return Content({}, [self._part()])

    def _part(self) -> StaticPart:
        return {"id": "html", "html": self._html}

    def _drawn(self, shown: Any) -> str:
        start = time.monotonic()
        html = self._draw(shown)["text/html"]
        self._redraw.drawn(time.monotonic() - start, PAUSE)
        return html


def is_finished(shown: Any) -> bool:
    """Whether nothing more will change in something that has a ``state``."""
    return bool(shown.state.finished)


def began(shown: Any) -> float | None:
    """The time at which something began or was created, if known."""
    return getattr(shown, "started", None) or getattr(shown, "created", None)


def new_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a head or a part that are not what they were; null for those that are there no more."""
    gone = dict.fromkeys(old.keys() - new.keys())
    return {
        name: value for name, value in (gone | dict(new)).items() if name not in old or old[name] != value
    }


def new_parts(
    old: Iterable[T | None],
    new: Iterable[T],
    fields: Callable[[T], Mapping[str, Any]],
    fields_before: Callable[[T], Mapping[str, Any]] | None = None,
    *,
    key: str = "id",
) -> list[dict[str, Any]]:
    """The fields of parts that are new, with the ``key`` that names each part.

    ``old`` has each part as it was, None for one that was not there. ``fields`` makes what is sent of a part:
    of one that is the same object, nothing is made.
    """
    found = []
    for before, part in zip(old, new, strict=True):
        if before is part:
            continue
        now = fields(part)
        fresh = new_fields({} if before is None else (fields_before or fields)(before), now)
        if fresh:
            found.append({key: now[key], **fresh})
    return found
