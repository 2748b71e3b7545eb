"""What a page shows live: one board for a kernel, or for a page of ``kfnb ui``. All that it holds is bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from kfnb.entities import LogLine
from kfnb.errors import NotFound
from kfnb.live import followables
from kfnb.live.followables import Draw, Followable, Handle
from kfnb.live.followers import Follower
from kfnb.live.handlers import answer
from kfnb.live.log_stream import LogStream
from kfnb.live.messages import (
    DetailRequest,
    LogRequest,
    PageMessage,
    PageRequest,
    ReplyMessage,
    SaveRequest,
    read_request,
    to_json,
)
from kfnb.live.static_views import DisplayPlace, Pictures
from kfnb.ui.mount_point import Home

IN_TURN = frozenset({"log", "seen", "leave"})
"""Requests handled in order on the receiving thread, since one may undo another. All others run in a pool."""

MOST_FOLLOWED = 50
"""Subjects that are followed at once, a thread each; beyond that, the oldest that no page shows is dropped."""

MOST_REMEMBERED = 50
"""Subjects that are remembered though they are not followed: their places in the notebook, and their handles."""

MOST_THREADS = 16
"""Requests of the page's that are answered at once; the others wait."""

MOST_STREAMS = 32
"""Logs that are sent at once: a page shows a few."""

T = TypeVar("T")

Key: TypeAlias = tuple[str, str]
"""A subject, by its type and id."""


class Channel(Protocol):
    """The way to a page. ``token`` is the mark of the pictures that the page keeps up to date."""

    token: str

    def send_message(self, message: Mapping[str, Any], *buffers: bytes) -> None:
        """Send the page a message; from any thread."""
        ...


Receive: TypeAlias = Callable[[Mapping[str, Any]], None]


@dataclass
class _Known:
    """A subject that was shown: its handle, the cells that show it, and the places of its static pictures."""

    handle: Handle
    cells: set[str | None] = field(default_factory=set)
    places: tuple[DisplayPlace, ...] = ()


class Board:
    """Who follows what, and where it is shown. ``connect`` opens the way to the page, whose requests it passes on."""

    def __init__(self, connect: Callable[[Receive], Channel]) -> None:
        self._channel = connect(self._receive)
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._followers: dict[Key, Follower] = {}
        self._streams: OrderedDict[tuple[str, str, str], LogStream] = OrderedDict()
        self._questions: dict[tuple[str, str, str], object] = {}
        self._pool = RequestPool(self)
        self._services: dict[type[Any], Any] = {}

    def service(self, kind: type[T]) -> T:
        """The board's shared instance of a class, created on first use."""
        with self._lock:
            found: T = self._services.setdefault(kind, kind())
            return found

    def send(self, message: PageMessage, *buffers: bytes) -> None:
        """Send the page a message."""
        self._channel.send_message(to_json(message), *buffers)

    def _receive(self, content: Mapping[str, Any]) -> None:
        try:
            request = read_request(content)
        except ValueError as error:
            named = str(content.get("type", "")), str(content.get("id", ""))
            self.send(ReplyMessage(*named, f"internal error in kfnb: {error}", ok=False))
            return
        if request.do in IN_TURN:
            answer(self, request)
        else:
            self._pool.add(request)

    # -- subjects ---------------------------------------------------------------------------------------------

    def row(self, type: str) -> Followable:
        """How things of that type are followed. Raises ``NotFound``."""
        return followables.row_of_type(type)

    def home(self, handle: Handle) -> Home:
        """The mark of the static picture of a subject."""
        return Home(self._channel.token, *_key(handle))

    def drawing(self, handle: Handle) -> Draw:
        """How the static picture of a subject is drawn, with its mark."""
        row = followables.row_of(handle)
        return row.drawing(row, self.home(handle))

    def find(self, type: str, id: str) -> Handle:
        """What the page knows by that id: it was displayed here, or else can be found. Raises ``NotFound``."""
        known = self._known.get((type, id))
        if known is not None:
            return known.handle
        find = self.row(type).find
        if find is None:
            raise NotFound("this kernel does not keep it any more: run the cell again")
        return find(id)

    def follow(self, handle: Handle, place: DisplayPlace | None = None) -> None:
        """Keep the page's picture of a subject up to date until it is finished, and a static one at ``place``.

        Without a place, the page gets all of it, whatever was sent before.
        """
        key = _key(handle)
        with self._lock:
            known = self._remember(key, handle)
            follower = self._followers.get(key)
            if follower is None:
                self._make_room()
                follower = self._followers[key] = self._follower(handle, known)
                follower.start()
            elif place is None:
                follower.request()
            if place is not None:
                follower.pictures.add(place)
                follower.wake()

    def _follower(self, handle: Handle, known: _Known) -> Follower:
        row = followables.row_of(handle)
        # what is tried again is shown where it was displayed at first
        pictures = Pictures(row.drawing(row, self.home(handle)), known.places)
        # in the page, what it shows has no mark
        wire = row.wire(row.drawing(row, None))
        return Follower(row.subject(row, handle), wire, pictures, self.send, self._ended)

    def _remember(self, key: Key, handle: Handle) -> _Known:
        known = self._known.setdefault(key, _Known(handle))
        known.handle = handle
        self._known.move_to_end(key)
        return known

    def _forget(self) -> None:
        """Keep of the subjects that are not followed the newest alone."""
        for key in [key for key in self._known if key not in self._followers][:-MOST_REMEMBERED]:
            del self._known[key]

    def _make_room(self) -> None:
        """Leave the oldest subject that is not seen, where too many are followed."""
        following = [one for one in self._followers.values() if not one.dismissed]
        if len(following) < MOST_FOLLOWED:
            return
        left = next((one for one in following if not one.page_is_live), following[0])
        left.dismiss(
            f"more than {MOST_FOLLOWED} are followed at once; run its cell again to see its current state"
        )

    def _ended(self, follower: Follower) -> bool:
        with self._lock:
            if follower.requested:
                return False
            key = follower.subject.type, follower.subject.id
            del self._followers[key]
            if key in self._known:
                self._known[key].places = tuple(follower.pictures.places)
            self._forget()
            return True

    def seen(self, type: str, id: str) -> None:
        """The page shows that subject live."""
        with self._lock:
            if follower := self._followers.get((type, id)):
                follower.page_is_live = follower.watched = True

    def leave(self, type: str, id: str) -> None:
        """The page shows that subject no more."""
        with self._lock:
            if follower := self._followers.get((type, id)):
                follower.unwatch()

    def close(self) -> None:
        """The page has gone: follow nothing more."""
        with self._lock:
            for follower in self._followers.values():
                follower.dismiss("the page was closed")
            for stream in self._streams.values():
                stream.stop()
            self._streams.clear()

    # -- the cells that show them -----------------------------------------------------------------------------

    def placed(self, handle: Handle, cell: str | None) -> None:
        """A cell, by its client's id of it (None where there is none), shows a subject."""
        if known := self._known.get(_key(handle)):
            known.cells.add(cell)

    def cleared(self, cell: str) -> None:
        """A cell runs again: what it showed is gone from the notebook."""
        with self._lock:
            for known in self._known.values():
                known.cells.discard(cell)

    def is_shown(self, handle: Handle) -> bool:
        """Whether a cell shows that subject."""
        known = self._known.get(_key(handle))
        return known is not None and bool(known.cells)

    # -- what the page asks of a part -------------------------------------------------------------------------

    def log(self, request: LogRequest, lines: Callable[[], Iterator[LogLine | None]]) -> None:
        """Send the page a part's log from its beginning, or send no more of it."""
        key = request.type, request.id, request.part
        with self._lock:
            stream = self._streams.pop(key, None)
            if stream is not None:
                stream.stop()
            if request.on:
                stream = self._streams[key] = LogStream(*key, lines, self.send, self._log_ended)
                stream.start()
            while len(self._streams) > MOST_STREAMS:
                self._streams.popitem(last=False)[1].stop()

    def _log_ended(self, stream: LogStream) -> None:
        with self._lock:
            if self._streams.get(stream.key) is stream:
                del self._streams[stream.key]

    def save(self, request: SaveRequest, name: str, lines: Iterable[LogLine | None]) -> None:
        """Send the page a part's whole log, to be saved as a file called ``name``."""
        LogStream(request.type, request.id, request.part, lambda: iter(lines), self.send).save(name)

    @contextmanager
    def newest(self, request: DetailRequest) -> Iterator[Callable[[], bool]]:
        """Register a request for a part's details; yield a function that returns whether it is still the newest."""
        key, question = (request.type, request.id, request.part), object()
        self._questions[key] = question
        try:
            yield lambda: self._questions.get(key) is question
        finally:
            if self._questions.get(key) is question:
                del self._questions[key]


class RequestPool:
    """Answers the page's requests, a few at once: one may wait for a cluster that does not answer."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = threading.Lock()
        self._waiting: deque[PageRequest] = deque()
        self._threads = 0

    def add(self, request: PageRequest) -> None:
        """Answer it as soon as a thread is free."""
        with self._lock:
            self._waiting.append(request)
            if self._threads == MOST_THREADS:
                return
            self._threads += 1
        # a daemon, lest a cluster that does not answer keep the kernel from ending
        threading.Thread(target=self._work, name="kfnb-answer", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                request = self._waiting.popleft()
            answer(self._board, request)


def _key(handle: Handle) -> Key:
    row = followables.row_of(handle)
    return row.type, row.name(handle)
