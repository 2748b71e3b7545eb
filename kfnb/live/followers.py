"""One thread for each run or study that is looked at: it keeps its pictures, static and live, up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kfnb.diagnostics import logger
from kfnb.errors import BackendUnavailable, RunNotFound, StudyNotFound
from kfnb.jobs.polling import Pause
from kfnb.live.followables import Subject
from kfnb.live.static_views import Pictures
from kfnb.resources.runs.wire import Message

_logger = logger(__package__)

SHARE = 9
"""So many times as long as a look kept a core busy, the next one waits: at most a tenth of a core is spent."""

PATIENCE = 20
"""Looks that may fail one after the other (a cluster that does not answer) before the subject is left alone."""


class Follower:
    """Looks at one run or study until it is finished, gone, or looked at by nobody.

    ``pictures`` are its static ones; ``tell`` reaches the page that may show it live, as long as it is ``watched``;
    ``seen`` says that the page does. ``ended`` is asked at the end whether that is the end.
    """

    def __init__(
        self,
        subject: Subject,
        pictures: Pictures,
        tell: Callable[[Message], None],
        ended: Callable[[Follower], bool],
    ) -> None:
        self.subject = subject
        self.pictures = pictures
        self._tell = tell
        self._ended = ended
        self._awake = threading.Event()
        self._asked = True
        self._failures = 0
        self._took = 0.0
        self.watched, self.seen = True, False

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self.go, name=f"kfnb-{self.subject.id}", daemon=True).start()

    def wake(self) -> None:
        """Look at once."""
        self._failures = 0
        self._awake.set()

    def ask(self) -> None:
        """Tell the page all of it, not only what is new, at once."""
        self._asked = self.watched = True
        self.wake()

    def leave(self) -> None:
        """The page shows it no more."""
        self.watched = self.seen = False

    @property
    def asked(self) -> bool:
        """Whether the page, or a new picture, still waits for an answer that may come."""
        return self._failures < PATIENCE and (self._asked or self.pictures.fresh)

    def go(self) -> None:
        """Follow it to its end. Never raises: nobody would see it."""
        over, pause = False, Pause(self.subject.pace)
        while True:
            try:
                pause.answered(changed=self._look())
                over = self.subject.over
                self._failures = 0
            except BackendUnavailable:  # it may be there again in an hour, and is asked less and less often
                pause.unanswered()
            except (RunNotFound, StudyNotFound) as error:
                self._tell({"kind": "gone", "id": self.subject.id, "text": str(error)})
                self._failures = PATIENCE
            except Exception:
                self._failures += 1
                _logger.warning("%s cannot be followed.", self.subject.id, exc_info=True)
            alone = not (self.watched or self.pictures)
            if (over or alone or self._failures >= PATIENCE) and self._ended(self):
                return
            self._awake.wait(max(pause.seconds, SHARE * self._took))
            self._awake.clear()

    def _look(self) -> bool:
        """Look, and show what is new; whether anything is."""
        began = time.thread_time()  # what others do meanwhile does not count
        changed = self.subject.look()
        self._took = time.thread_time() - began  # pictures have a pace of their own
        if self.watched:
            self._inform(changed=changed)
        self.pictures.show(self.subject.shown, changed=changed, live=self.seen, over=self.subject.over)
        return changed

    def _inform(self, *, changed: bool) -> None:
        if self._asked:
            self._asked = False  # before it is told: who asks from now on may have missed it
            try:
                self._tell(self.subject.whole())
            except Exception:
                self._asked = True
                raise
        elif changed and (message := self.subject.change()):
            self._tell(message)
