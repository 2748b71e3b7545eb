"""What the driver records: each step of a service's life as an event in its log; see ``fold`` for what they mean.

A log has one event of each kind for each revision, however long the service runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kfnb.diagnostics import logger
from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs.eventlog import EventLog, Fact
from kfnb.resources.services.model import Parity, RevisionState, Target

_logger = logger(__package__)


class ServiceJournal:
    """Writes the events of one service. What cannot be written, on a full disk, is written later."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._late: dict[tuple[str, str], Fact] = {}

    def ended(self, state: RunState, error: str = "") -> None:
        """The service ends. Raises ``BackendError``."""
        self._log.append([("state", "", {"state": state, **({"error": error} if error else {})})])

    def listens(self, url: str) -> None:
        """Requests may be sent there."""
        self._write(("address", "", {"url": url}))

    def observed(self, generation: int, shares: Mapping[int, int], error: str = "") -> None:
        """The router sends requests by these shares now; ``error`` says why not by those of a newer generation."""
        data = {
            "generation": generation,
            "shares": {str(one): share for one, share in shares.items()},
            "error": error,
        }
        self._write(("observed", "", data))

    def began(self, target: Target) -> None:
        """A revision begins."""
        self._write(("revision", str(target.revision), {"target": asdict(target)}))

    def revision(
        self, number: int, state: RevisionState, error: str = "", restarts: int = 0, log_error: str = ""
    ) -> None:
        """A revision is in a new state."""
        data = {"state": state, "error": error, "restarts": restarts, "log_error": log_error}
        self._write(("revision_state", str(number), data))

    def checked(self, number: int, parity: Parity) -> None:
        """A revision's version was checked."""
        self._write(("parity", str(number), asdict(parity)))

    def counted(self, counters: Mapping[int, Mapping[str, Any]]) -> None:
        """What was counted of each revision so far, in all."""
        self._write(*(("counters", str(number), dict(data)) for number, data in counters.items()))

    def note(self, number: int, text: str) -> None:
        """A note about a revision; it replaces the one before."""
        self._write(("note", str(number) if number else "", {"text": text}))

    def retired(self, number: int) -> None:
        """A revision is gone."""
        fact: Fact = ("retired", str(number), {})
        self._late = {key: one for key, one in self._late.items() if key[1] != str(number)}
        try:
            self._log.end_part(fact)
        except BackendError:
            self._write(fact)

    def write_late(self) -> None:
        """Write what could not be written."""
        if self._late:
            self._write()

    def _write(self, *facts: Fact) -> None:
        self._late |= {(kind, task): (kind, task, data) for kind, task, data in facts}
        try:
            self._log.replace(self._late.values())
        except BackendError:
            _logger.warning("Events cannot be written; they are kept.", exc_info=True)
        else:
            self._late.clear()
