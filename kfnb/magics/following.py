"""A run's pictures in the notebook, which change as the run does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfnb import model
from kfnb.backends.run import Run
from kfnb.errors import RunNotFound

POLL = 0.4
"""Seconds between two looks at a run; more where a look is dear, so that at most a tenth of a core is spent."""

TICK = 1.0
"""Seconds between two pictures that differ only in how long something has taken; more in a long run."""

PATIENCE = 20
"""Looks that may fail one after the other (a cluster that does not answer) before a picture stays as it is."""

Bundle = dict[str, str]


class Handle(Protocol):
    """A picture's place in the notebook: IPython's ``DisplayHandle``."""

    def update(self, obj: Any, **kwargs: Any) -> None:
        """Put another picture there."""
        ...


@dataclass
class Follower:
    """Looks at one run, and keeps all its pictures up to date until it is finished, or gone."""

    run: Run
    draw: Callable[[model.Run], Bundle]
    handles: list[Handle] = field(default_factory=list)
    fresh: bool = False
    _shown: model.Run | None = None
    _drawn: float = 0.0
    _bundle: Bundle | None = None

    def go(self) -> None:
        """Follow the run to its end. Never raises: nobody would see it."""
        failures, ended = 0, False
        while not ended and failures < PATIENCE:
            began = time.monotonic()
            try:
                ended = self._look()
                failures = 0
            except RunNotFound:
                ended = True
            except Exception:
                failures += 1
            if not ended:
                time.sleep(max(POLL, 9 * (time.monotonic() - began)))
        with _lock:
            _followers.pop(self.run.id, None)

    def _look(self) -> bool:
        """Draw the run where that makes a difference; whether it is finished."""
        now = self.run.snapshot()
        fresh, self.fresh = self.fresh, False
        if fresh or now != self._shown or self._tick_is_due(now):
            self._update(self.draw(now), fresh=fresh)
            self._shown = now
        return now.state.finished

    def _tick_is_due(self, now: model.Run) -> bool:
        taken = time.time() - (now.started or now.created or time.time())
        return time.monotonic() - self._drawn >= max(TICK, taken / 60)

    def _update(self, bundle: Bundle, *, fresh: bool) -> None:
        self._drawn = time.monotonic()
        if fresh or bundle != self._bundle:
            for handle in tuple(self.handles):
                handle.update(bundle, raw=True)
        self._bundle = bundle


_followers: dict[str, Follower] = {}
_lock = threading.Lock()


def follow(run: Run, handle: Handle, draw: Callable[[model.Run], Bundle]) -> None:
    """Keep a run's picture up to date, from a thread; several pictures of one run share it."""
    with _lock:
        follower = _followers.get(run.id)
        if follower is None:
            follower = _followers[run.id] = Follower(run, draw)
            threading.Thread(target=follower.go, name=f"kfnb-{run.id}", daemon=True).start()
        follower.handles.append(handle)
        follower.fresh = True
