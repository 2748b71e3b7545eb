"""What the driver records: each step of a study's life as an event in the study's event log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kfnb.entities import RunState
from kfnb.jobs.eventlog import EventLog, Fact
from kfnb.resources.runs.usage_data import amounts_data
from kfnb.resources.studies.local.outcome import Outcome


class StudyJournal:
    """Writes the events of one study; see ``fold`` for what they mean."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def state(self, state: RunState, *, error: str = "", reason: str = "") -> None:
        """The study is in a new state."""
        texts = {name: text for name, text in (("error", error), ("reason", reason)) if text}
        self._log.append([("state", "", {"state": state, **texts})])

    def began(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial runs now."""
        self._log.append([("began", str(number), {"params": dict(params), "started": time.time()})])

    def run(self, number: int, run_id: str) -> None:
        """A trial is this run of a pipeline."""
        self._log.append([("run", str(number), {"id": run_id})])

    def reported(self, number: int, step: float, value: float) -> None:
        """A trial has reported its objective while it runs."""
        self._log.append([("report", str(number), {"step": step, "value": value})])

    def ended(self, number: int, outcome: Outcome) -> None:
        """A trial is over."""
        self._log.append([ended(number, outcome)])


def ended(number: int, outcome: Outcome) -> Fact:
    """That a trial is over, as an event."""
    data: dict[str, Any] = {"state": outcome.state, "finished": time.time()}
    data |= {"value": outcome.value} if outcome.value is not None else {}
    data |= {"metrics": dict(outcome.metrics)} if outcome.metrics else {}
    data |= {"curve": outcome.curve} if outcome.curve else {}
    data |= {"error": asdict(outcome.error)} if outcome.error else {}
    data |= {"used": amounts_data(outcome.used)} if outcome.used else {}
    return "ended", str(number), data
