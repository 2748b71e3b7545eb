"""One thread per followed subject, which updates its static and live views."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import BackendUnavailable, NotFound
from kfnb.jobs.polling import Pause
from kfnb.live.contents import Wire
from kfnb.live.followables import FollowedSubject
from kfnb.live.messages import ChangeMessage, GoneMessage, PageMessage, WholeMessage
from kfnb.live.redraw import SHARE
from kfnb.live.static_views import Pictures

_logger = logger(__package__)

MAX_FAILURES = 20
"""Consecutive failed polls after which the subject is no longer followed."""


class Follower:
    """Polls one subject until the subject is finished or gone, or no page shows it.

    ``pictures`` are its static views. While a page is subscribed, ``send`` sends it the messages that ``wire`` makes.
    ``page_is_live`` is whether the page shows it. ``ended`` is called at the end and returns whether to stop.
    """

    def __init__(
        self,
        subject: FollowedSubject,
        wire: Wire,
        pictures: Pictures,
        send: Callable[[PageMessage], None],
        ended: Callable[[Follower], bool],
    ) -> None:
        self.subject = subject
        self.pictures = pictures
        self._wire = wire
        self._sent: Any = None
        self._seq = 0
        self._send = send
        self._ended = ended
        self._awake = threading.Event()
        self._requested = True
        self._failures = 0
        self.dismissed = False
        self._took = 0.0
        self.watched, self.page_is_live = True, False

    def start(self) -> None:
        """Begin, in a new thread."""
        threading.Thread(
            target=self.run, name=f"kfnb-{self.subject.type}-{self.subject.id}", daemon=True
        ).start()

    def wake(self) -> None:
        """Poll at once."""
        self._failures = 0
        self._awake.set()

    def request(self) -> None:
        """Send the page all of it, not only what is new, at once."""
        self._requested = self.watched = True
        self.wake()

    def dismiss(self, why: str) -> None:
        """Stop following it, and tell the page why."""
        self.dismissed = True
        try:
            self._send(GoneMessage(self.subject.type, self.subject.id, why))
        except Exception:  # the page has gone
            _logger.debug(
                "The page does not get the message that %s is no longer followed.",
                self.subject.id,
                exc_info=True,
            )
        self._awake.set()

    def unwatch(self) -> None:
        """The page no longer shows it."""
        self.watched = self.page_is_live = False

    @property
    def requested(self) -> bool:
        """Whether the page, or a new picture, still waits for an answer that may come."""
        return not self._given_up and (self._requested or self.pictures.fresh)

    @property
    def _given_up(self) -> bool:
        return self.dismissed or self._failures >= MAX_FAILURES

    def run(self) -> None:
        """Follow it to its end. Never raises: no one would see it."""
        over, pause = False, Pause(self.subject.pace)
        while True:
            try:
                pause.answered(changed=self._refresh())
                over = self.subject.over
                self._failures = 0
            except BackendUnavailable:  # the server may be back in an hour; the polls become less frequent
                pause.unanswered()
            except NotFound as error:
                self.dismiss(str(error))
            except Exception:
                self._failures += 1
                _logger.warning("%s cannot be followed.", self.subject.id, exc_info=True)
            alone = not (self.watched or self.pictures)
            if (over or alone or self._given_up) and self._ended(self):
                return
            self._awake.wait(max(pause.seconds, SHARE * self._took))
            self._awake.clear()

    def _refresh(self) -> bool:
        """Poll, and show what is new; return whether anything is."""
        began = time.thread_time()  # what others do meanwhile does not count
        changed = self.subject.refresh()
        self._took = time.thread_time() - began  # the static views limit their own pace
        if self.watched:
            self._inform(changed=changed)
        self.pictures.show(
            self.subject.shown, changed=changed, live=self.page_is_live, over=self.subject.over
        )
        return changed

    def _inform(self, *, changed: bool) -> None:
        if self._requested:
            self._requested = False  # before it is sent: a page that asks from now on may have missed it
            try:
                self._send_whole()
            except Exception:
                self._requested = True
                raise
        elif changed or self._wire.each_refresh:
            self._send_change()

    def _send_whole(self) -> None:
        now = self.subject.shown
        content = self._wire.whole(now)
        self._send(WholeMessage(*self._named, time.time(), content.head, content.parts))
        self._sent = now

    def _send_change(self) -> None:
        now = self.subject.shown
        content = self._wire.change(self._sent, now)
        if content is None:
            self._send_whole()
            return
        if content:
            self._seq += 1
            self._send(ChangeMessage(*self._named, time.time(), content.head, content.parts))
        self._sent = now

    @property
    def _named(self) -> tuple[str, str, int]:
        return self.subject.type, self.subject.id, self._seq
