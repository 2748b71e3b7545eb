"""The monitors of a backend for those who show something else: never waited for long, and no reason to fail."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from kfnb.errors import KfnbError, UsageError
from kfnb.resources.monitors import api
from kfnb.resources.monitors.model import MonitorOutline

WITHIN = 3.0
"""Seconds that an answer is waited for: a cluster may be slow, or away."""


@dataclass(frozen=True)
class Watching:
    """The monitors of a backend. ``unknown`` is why they are not known, empty if they are."""

    monitors: tuple[MonitorOutline, ...] = ()
    unknown: str = ""

    def of_service(self, name: str) -> tuple[MonitorOutline, ...]:
        """Those of a service."""
        return tuple(one for one in self.monitors if one.service == name)

    def of_model(self, name: str) -> tuple[MonitorOutline, ...]:
        """Those whose newest check was of a version of a model."""
        return tuple(one for one in self.monitors if one.version.rpartition("@")[0] == name)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say where they are not known."""
        return (f"The monitors are not known: {self.unknown}",) if self.unknown else ()


class MonitorQuestion:
    """A question for the monitors of a backend, which is asked while other things are."""

    def __init__(self, backend: str | None = None) -> None:
        self._backend = backend
        self._answer = Watching(unknown=f"no answer within {WITHIN:g} s")
        self._thread = threading.Thread(target=self._ask, name="kfnb-monitors", daemon=True)
        self._thread.start()

    @property
    def answered(self) -> bool:
        """Whether the answer has come."""
        return not self._thread.is_alive()

    def answer(self) -> Watching:
        """What has been found within a few seconds."""
        self._thread.join(WITHIN)
        return self._answer

    def _ask(self) -> None:
        try:
            self._answer = Watching(api.outlines(self._backend))
        except UsageError:  # the settings name no cluster with monitors
            self._answer = Watching()
        except KfnbError as error:
            self._answer = Watching(unknown=str(error))


class FollowedMonitors:
    """The monitors of a backend for what is polled often: asked for again every few seconds, in the meantime."""

    def __init__(self, backend: str, *, every: float) -> None:
        self._backend, self._every = backend, every
        self._question, self._since = MonitorQuestion(backend), time.monotonic()
        self._known: Watching | None = None

    def latest(self) -> Watching:
        """What was found last. Only the first answer is waited for."""
        if self._known is None or self._question.answered:
            self._known = self._question.answer()
        if self._question.answered and time.monotonic() - self._since > self._every:
            self._question, self._since = MonitorQuestion(self._backend), time.monotonic()
        return self._known


def watching(backend: str | None = None) -> Watching:
    """The monitors of a backend, by default the one in the settings."""
    return MonitorQuestion(backend).answer()
