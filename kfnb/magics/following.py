"""One thread for each run that is looked at: it keeps the run's pictures, static and live, up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kfnb import model
from kfnb.backends.run import Run
from kfnb.errors import BackendUnavailable, RunNotFound
from kfnb.magics.pictures import Pictures
from kfnb.widgets.wire import Message, Wire

SHARE = 9
"""So many times as long as a look took, the next one waits: at most a tenth of a core is spent."""

PATIENCE = 20
"""Looks that may fail one after the other (a cluster that does not answer) before the run is left alone."""


class Follower:
    """Looks at one run until it is finished, gone, or looked at by nobody.

    ``pictures`` are its static ones; ``tell`` reaches the page that may show it live, as long as it is ``watched``;
    ``seen`` says that the page does. ``ended`` is asked at the end whether that is the end.
    """

    def __init__(
        self,
        run: Run,
        pictures: Pictures,
        tell: Callable[[Message], None],
        ended: Callable[[Follower], bool],
    ) -> None:
        self.run = run
        self.pictures = pictures
        self._tell = tell
        self._ended = ended
        self._wire = Wire(run.id)
        self._observer = run.observe()
        self._awake = threading.Event()
        self._asked = True
        self._failures = 0
        self.watched, self.seen = True, False

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self.go, name=f"kfnb-{self.run.id}", daemon=True).start()

    def wake(self) -> None:
        """Look at once."""
        self._failures = 0
        self._awake.set()

    def ask(self) -> None:
        """Tell the page all of the run, not only what is new, at once."""
        self._asked = self.watched = True
        self.wake()

    def leave(self) -> None:
        """The page shows the run no more."""
        self.watched = self.seen = False

    @property
    def asked(self) -> bool:
        """Whether the page, or a new picture, still waits for an answer that may come."""
        return self._failures < PATIENCE and (self._asked or self.pictures.fresh)

    def go(self) -> None:
        """Follow the run to its end. Never raises: nobody would see it."""
        over, pause = False, self._observer.pace.shortest
        while True:
            began = time.monotonic()
            try:
                changed = self._look()
                over = self._observer.run.state.finished
                pause = self._observer.pace.next(pause, changed=changed)
                self._failures = 0
            except BackendUnavailable:  # it may be there again in an hour, and is asked less and less often
                pause = self._observer.pace.next(pause, changed=False)
            except RunNotFound as error:
                self._tell({"kind": "gone", "id": self.run.id, "text": str(error)})
                self._failures = PATIENCE
            except Exception:
                self._failures += 1
            alone = not (self.watched or self.pictures)
            if (over or alone or self._failures >= PATIENCE) and self._ended(self):
                return
            self._awake.wait(max(pause, SHARE * (time.monotonic() - began)))
            self._awake.clear()

    def _look(self) -> bool:
        """Look at the run and show what is new; whether anything is."""
        touched = self._observer.look()
        run = self._observer.run
        if self.watched:
            self._inform(run, touched)
        self.pictures.show(run, changed=bool(touched), live=self.seen)
        return bool(touched)

    def _inform(self, run: model.Run, touched: set[str]) -> None:
        if self._asked:
            self._asked = False  # before it is told: who asks from now on may have missed it
            try:
                self._tell(self._wire.whole(run))
            except Exception:
                self._asked = True
                raise
        elif touched and (message := self._wire.change(run, touched, self._observer.tasks)):
            self._tell(message)
