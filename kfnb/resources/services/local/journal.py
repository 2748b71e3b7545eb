"""What the driver records: each step of a service's life as an event in its log; see ``fold`` for what they mean.

A log has one event of each kind for each revision, however long the service runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kfnb.entities import RunState
from kfnb.jobs.eventlog import EventLog
from kfnb.resources.services.model import Parity, RevisionState, Target


class ServiceJournal:
    """Writes the events of one service."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def ended(self, state: RunState, error: str = "") -> None:
        """The service ends."""
        self._log.append([("state", "", {"state": state, **({"error": error} if error else {})})])

    def listens(self, url: str) -> None:
        """Requests may be sent there."""
        self._log.replace([("address", "", {"url": url})])

    def observed(self, generation: int, shares: Mapping[int, int], error: str = "") -> None:
        """The router sends requests by these shares now; ``error`` says why not by those of a newer generation."""
        data = {
            "generation": generation,
            "shares": {str(one): share for one, share in shares.items()},
            "error": error,
        }
        self._log.replace([("observed", "", data)])

    def began(self, target: Target) -> None:
        """A revision begins."""
        self._log.replace([("revision", str(target.revision), {"target": asdict(target)})])

    def revision(self, number: int, state: RevisionState, error: str = "", restarts: int = 0) -> None:
        """A revision is in a new state."""
        data = {"state": state, "error": error, "restarts": restarts}
        self._log.replace([("revision_state", str(number), data)])

    def checked(self, number: int, parity: Parity) -> None:
        """A revision's version was checked."""
        self._log.replace([("parity", str(number), asdict(parity))])

    def counted(self, counters: Mapping[int, Mapping[str, Any]]) -> None:
        """What was counted of each revision so far, in all."""
        self._log.replace([("counters", str(number), dict(data)) for number, data in counters.items()])

    def note(self, number: int, text: str) -> None:
        """A note about a revision; it replaces the one before."""
        self._log.replace([("note", str(number) if number else "", {"text": text})])

    def retired(self, number: int) -> None:
        """A revision is gone."""
        self._log.end_part(("retired", str(number), {}))
