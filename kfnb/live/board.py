"""The runs, studies and tables that a kernel's page shows live: one board for a kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from kfnb.live.comm import Live
from kfnb.live.downloads import Downloads
from kfnb.live.followables import Handle, id_of, subject_of
from kfnb.live.followers import Follower
from kfnb.live.handlers import answer
from kfnb.live.log_stream import LogStream
from kfnb.live.static_views import Pictures, Place
from kfnb.resources.runs import api, wire
from kfnb.resources.runs.artifact_text import Drawing
from kfnb.resources.runs.backend import LogLine
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.logs import settled
from kfnb.resources.runs.wire import Message
from kfnb.resources.studies.view.study import draw_study
from kfnb.ui.mount_point import Home

if TYPE_CHECKING:
    from kfnb.resources.studies.handle import Study

IN_TURN = frozenset({"log", "seen", "leave"})
"""What is done at once, as it was asked for: one undoes the other. The rest may take long, and has threads."""


class Board:
    """Who follows which run or study, and what tables are there."""

    def __init__(self) -> None:
        self._live = Live(self._hear)
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._studies: dict[str, Study] = {}
        self._followers: dict[str, Follower] = {}
        self._pictures: dict[str, Pictures] = {}
        self._tables: dict[str, RunList] = {}
        self._streams: dict[tuple[str, str], LogStream] = {}
        self.downloads = Downloads()
        self._questions: dict[tuple[str, str], object] = {}
        self._cells: dict[str, set[str | None]] = {}

    def tell(self, message: Message, *buffers: bytes) -> None:
        """Send the page a message."""
        self._live.tell(message, *buffers)

    def _hear(self, message: Message) -> None:
        if message.get("do") in IN_TURN:
            answer(self, message)
        else:
            threading.Thread(target=answer, args=(self, message), daemon=True).start()

    # -- runs and studies -------------------------------------------------------------------------------------

    def home(self, handle: Handle) -> Home:
        """The mark of the static picture of a run or a study."""
        return Home(self._live.token, "run" if isinstance(handle, Run) else "study", id_of(handle))

    def drawing(self, handle: Handle) -> Callable[[Any], dict[str, str]]:
        """How the static picture of a run or a study is drawn, with its mark."""
        home = self.home(handle)
        return Drawing(home) if isinstance(handle, Run) else partial(draw_study, home=home)

    def find(self, id: str) -> Handle:
        """What the page knows by that id: it was displayed here, or else is a run. Raises ``RunNotFound``."""
        return self._studies.get(id) or self.run(id)

    def run(self, id: str) -> Run:
        """A run that was displayed here, or else one of that id. Raises ``RunNotFound``."""
        return self._runs.get(id) or api.run(id)

    def follow(self, handle: Handle, place: Place | None = None) -> None:
        """Keep the page's picture of a run or a study up to date until it is finished, and a static one at ``place``.

        Without a place, the page is told all of it, whatever it was told before.
        """
        id = id_of(handle)
        with self._lock:
            if isinstance(handle, Run):
                self._runs[id] = handle
            else:
                self._studies[id] = handle
            follower = self._followers.get(id)
            if follower is None:
                # what is tried again goes on where it was displayed at first
                pictures = self._pictures.setdefault(id, Pictures(self.drawing(handle)))
                follower = self._followers[id] = Follower(
                    subject_of(handle), pictures, self.tell, self._ended
                )
                follower.start()
            elif place is None:
                follower.ask()
            if place is not None:
                follower.pictures.add(place)
                follower.wake()

    # -- the cells that show them -----------------------------------------------------------------------------

    def placed(self, handle: Handle, cell: str | None) -> None:
        """A cell, by its client's id of it (None where there is none), shows a run or a study."""
        self._cells.setdefault(id_of(handle), set()).add(cell)

    def cleared(self, cell: str) -> None:
        """A cell runs again: what it showed is gone from the notebook."""
        for cells in self._cells.values():
            cells.discard(cell)

    def is_shown(self, handle: Handle) -> bool:
        """Whether a cell shows that run or study."""
        return bool(self._cells.get(id_of(handle)))

    def _ended(self, follower: Follower) -> bool:
        with self._lock:
            if follower.asked:
                return False
            del self._followers[follower.subject.id]
            return True

    def seen(self, id: str) -> None:
        """The page shows that run or study live."""
        with self._lock:
            if follower := self._followers.get(id):
                follower.seen = follower.watched = True

    def leave(self, id: str) -> None:
        """The page shows that run or study no more."""
        with self._lock:
            if follower := self._followers.get(id):
                follower.leave()

    def log(self, handle: Handle, part: str, *, on: bool) -> None:
        """Send the page the log of a task or a trial from its beginning, or send no more of it."""
        id = id_of(handle)
        with self._lock:
            stream = self._streams.pop((id, part), None)
            if stream is not None:
                stream.stop()
            if on:
                stream = self._streams[id, part] = LogStream(
                    id, part, lambda: _lines(handle, part), self.tell
                )
                stream.start()

    def asked(self, id: str, part: str) -> Callable[[], bool]:
        """The details of a part are asked for: what is returned tells whether that is the newest such question."""
        question = object()
        self._questions[id, part] = question
        return lambda: self._questions.get((id, part)) is question

    def save(self, handle: Handle, part: str) -> None:
        """Send the page the whole log of a task or a trial, to be saved as a file."""
        lines = handle.excerpt(part) if isinstance(handle, Run) else _lines(handle, part)
        name = f"{part.replace('/', '-')}.log" if isinstance(handle, Run) else f"{handle.name}-{part}.log"
        LogStream(id_of(handle), part, lambda: iter(lines), self.tell).save(name)

    # -- tables of runs ---------------------------------------------------------------------------------------

    def table(self, runs: RunList) -> Home:
        """Give the page the rows of a table; the mark of its static picture."""
        view = f"runs-{len(self._tables) + 1}"
        self._tables[view] = runs
        self.tell(wire.rows(view, runs))
        return Home(self._live.token, "runs", view)

    def refresh(self, view: str) -> None:
        """Give the page the rows of a table as they are now."""
        self._tables[view] = self._tables[view].refresh()
        self.tell(wire.rows(view, self._tables[view]))


def _lines(handle: Handle, part: str) -> Iterator[LogLine | None]:
    if isinstance(handle, Run):
        return handle.follow_log(part)
    return settled(LogLine("", text) for text in handle.log_lines(int(part)))
