"""What can be followed in a page: one row a type. The kernel's registry; the page's is ``js/src/registry.ts``.

A type without a row there is shown by its static HTML, so that a new noun needs no more than this in its ``live``, and
its class among the ``live`` ones of its row in ``kfnb/registry/rows.py``::

    FOLLOWABLES = (Followable("service", Service, name=lambda service: service.name, find=service, draw=draw_service),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from kfnb import registry
from kfnb.errors import NotFound
from kfnb.jobs.polling import Pace
from kfnb.live.contents import StaticWire, Wire
from kfnb.ui.mount_point import Home
from kfnb.ui.states import style_of
from kfnb.ui.words import duration

if TYPE_CHECKING:
    from kfnb.live.handlers import Answer

Handle: TypeAlias = Any
"""What people hold of a subject: a ``Run``, a ``Study``, ..."""

HandleClass: TypeAlias = type

Draw: TypeAlias = Callable[[Any], dict[str, str]]
"""Draws what is known of a subject, as a mimebundle."""


class FollowedSubject(Protocol):
    """Polls a subject: ``type`` and ``id`` identify it in the page, ``pace`` is the polling interval."""

    type: str
    id: str
    pace: Pace

    @property
    def shown(self) -> Any:
        """Its data as of the last poll: frozen, with a ``state``."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing more will be new."""
        ...

    def refresh(self) -> bool:
        """Poll once more; return whether anything is new. Raises ``BackendError``."""
        ...


class Snapshots:
    """Any subject whose handle has a ``snapshot()``, taken at each poll."""

    def __init__(self, row: Followable, handle: Handle) -> None:
        self.type, self.id = row.type, row.name(handle)
        self.pace: Pace = getattr(handle, "pace", PACE)
        self._handle = handle
        self._shown: Any = None

    @property
    def shown(self) -> Any:
        """The last snapshot."""
        return self._shown

    @property
    def over(self) -> bool:
        """Whether its state is a final one."""
        return bool(self._shown.state.finished)

    def refresh(self) -> bool:
        """Take another one."""
        before, self._shown = self._shown, self.taken()
        return bool(self._shown != before)

    def taken(self) -> Any:
        """The subject as it is now."""
        return self._handle.snapshot()


PACE = Pace(0.5, 5.0)


@dataclass(frozen=True)
class Followable:
    """One type of what can be followed.

    ``handle`` is the class of what people hold of it, ``name`` the page's id of one, and ``find`` the handle of an id,
    where that is known. ``draw`` draws it as static HTML, with the mark of a page's place if there is one:
    ``draw(shown, home=None)``. The rest has defaults that do for any type: ``subject`` polls by snapshots, ``wire``
    sends the page its static HTML, and ``answers`` are what its page may ask beside what every page may.
    """

    type: str
    handle: HandleClass
    name: Callable[[Any], str]
    draw: Callable[..., dict[str, str]]
    find: Callable[[str], Handle] | None = None
    subject: Callable[[Followable, Handle], FollowedSubject] = Snapshots
    wire: Callable[[Draw], Wire] = StaticWire
    drawing: Callable[[Followable, Home | None], Draw] = lambda row, home: partial(row.draw, home=home)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    line: Callable[[Any], str] = str


def state_of(shown: Any) -> str:
    """The state of a subject in words, and how long it took once it has ended."""
    state = style_of(shown.state).word
    if shown.started is None or shown.finished is None:
        return state
    return f"{state} after {duration(shown.finished - shown.started)}"


# -- the registry -----------------------------------------------------------------------------------------------------

_rows: dict[str, Followable] = {}


def register(row: Followable) -> None:
    """Register a type."""
    _rows[row.type] = row


def row_of(handle: Handle) -> Followable:
    """The row of a handle's type, of its noun's ``live``. Raises ``TypeError`` where it has none."""
    for row in _rows.values():
        if isinstance(handle, row.handle):
            return row
    kind = type(handle)
    noun = registry.noun_of_module(kind.__module__)
    found = [] if noun is None else [row for row in _load(noun) if isinstance(handle, row.handle)]
    if not found:
        raise TypeError(f"{kind.__name__} cannot be followed")
    return found[0]


def row_of_type(type: str) -> Followable:
    """The row of that type. Raises ``NotFound``."""
    if type not in _rows:
        for noun in registry.NOUNS:
            _load(noun)
    if type not in _rows:
        raise NotFound(f"unknown type {type!r}: this kernel's kfnb does not have it")
    return _rows[type]


def _load(noun: registry.Noun) -> tuple[Followable, ...]:
    """Register and return the rows of a noun."""
    if not noun.live:
        return ()
    rows: tuple[Followable, ...] = noun.module("live").FOLLOWABLES
    for row in rows:
        register(row)
    return rows
