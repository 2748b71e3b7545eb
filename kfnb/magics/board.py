"""The runs and the tables that a kernel's page shows live: one board for a kernel."""

from __future__ import annotations

import threading

from kfnb import api
from kfnb.backends.run import Run, RunList
from kfnb.magics.answers import answer
from kfnb.magics.contents import Drawing
from kfnb.magics.following import Follower
from kfnb.magics.logstream import LogStream
from kfnb.magics.pictures import Handle, Pictures
from kfnb.widgets import wire
from kfnb.widgets.home import Home
from kfnb.widgets.live import Live
from kfnb.widgets.wire import Message

IN_TURN = frozenset({"log", "seen", "leave"})
"""What is done at once, as it was asked for: one undoes the other. The rest may take long, and has threads."""


class Board:
    """Who follows which run, and what tables are there."""

    def __init__(self) -> None:
        self._live = Live(self._hear)
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._followers: dict[str, Follower] = {}
        self._pictures: dict[str, Pictures] = {}
        self._tables: dict[str, RunList] = {}
        self._streams: dict[tuple[str, str], LogStream] = {}

    def tell(self, message: Message, *buffers: bytes) -> None:
        """Send the page a message."""
        self._live.tell(message, *buffers)

    def _hear(self, message: Message) -> None:
        if message.get("do") in IN_TURN:
            answer(self, message)
        else:
            threading.Thread(target=answer, args=(self, message), daemon=True).start()

    # -- runs -------------------------------------------------------------------------------------------------

    def home(self, run: Run) -> Home:
        """The mark of a run's static picture."""
        return Home(self._live.token, "run", run.id)

    def run(self, id: str) -> Run:
        """A run that was displayed here, or else one of that id. Raises ``RunNotFound``."""
        return self._runs.get(id) or api.run(id)

    def follow(self, run: Run, handle: Handle | None = None) -> None:
        """Keep the page's picture of a run up to date until the run is finished, and a static one at ``handle``.

        Without a handle, the page is told all of the run, whatever it was told before.
        """
        with self._lock:
            self._runs[run.id] = run
            follower = self._followers.get(run.id)
            if follower is None:
                # a run that is tried again goes on where it was displayed at first
                pictures = self._pictures.setdefault(run.id, Pictures(Drawing(self.home(run))))
                follower = self._followers[run.id] = Follower(run, pictures, self.tell, self._ended)
                follower.start()
            elif handle is None:
                follower.ask()
            if handle is not None:
                follower.pictures.add(handle)
                follower.wake()

    def _ended(self, follower: Follower) -> bool:
        with self._lock:
            if follower.asked:
                return False
            del self._followers[follower.run.id]
            return True

    def seen(self, id: str) -> None:
        """The page shows that run live."""
        with self._lock:
            if follower := self._followers.get(id):
                follower.seen = follower.watched = True

    def leave(self, id: str) -> None:
        """The page shows that run no more."""
        with self._lock:
            if follower := self._followers.get(id):
                follower.leave()

    def log(self, run: Run, task: str, *, on: bool) -> None:
        """Send the page a task's log from its beginning, or send no more of it."""
        with self._lock:
            stream = self._streams.pop((run.id, task), None)
            if stream is not None:
                stream.stop()
            if on:
                stream = self._streams[run.id, task] = LogStream(run, task, self.tell)
                stream.start()

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
