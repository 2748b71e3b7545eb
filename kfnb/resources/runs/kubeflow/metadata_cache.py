"""The records of ML Metadata about the tasks of runs, requested as rarely as possible."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.entities import RunSnapshot
from kfnb.errors import BackendError
from kfnb.resources.runs.kubeflow import artifacts
from kfnb.resources.runs.kubeflow.artifacts import TaskRecord
from kfnb.resources.runs.kubeflow.mlmd import Metadata, Recorded
from kfnb.resources.runs.kubeflow.objects import Store

_SILENT_FOR = 60.0
"""Seconds without requests to ML Metadata after it did not answer."""
_OLD = 5.0
"""Seconds after which the records of a running run are requested again."""


class MetadataCache:
    """The records of runs. Without ``metadata`` they are empty; ``store`` opens their artifacts.

    ``trouble`` is why ML Metadata did not answer the last request; empty if it did.
    """

    def __init__(self, metadata: Metadata | None, store: Store | None, trouble: str = "") -> None:
        self._metadata, self._store, self.trouble = metadata, store, trouble
        self._read: dict[str, _CachedRecords] = {}
        self._quiet_until = 0.0

    def of(self, run: RunSnapshot, spec: Mapping[str, Any]) -> Mapping[str, TaskRecord]:
        """The records of the tasks and groups, by their ids; the previous records while ML Metadata does not answer.

        They are requested when a task's state has changed, since a task's end is recorded before the server reports it,
        and when they are old, since the server may have stopped reporting (see ``tasks.py``).
        """
        states = tuple((task.id, task.state, task.attempts) for task in run.tasks)
        known, now = self._read.get(run.id), time.monotonic()
        if known and known.states == states and (run.state.finished or now - known.at < _OLD):
            return known.made
        recorded = self._recorded(run.id, known.recorded if known else None)
        if recorded is None:
            return known.made if known else {}
        if known and recorded is known.recorded:
            made = known.made
        else:
            made = artifacts.read(recorded, spec, *([self._store.opener] if self._store else []))
        self._read[run.id] = _CachedRecords(now, states, recorded, made)
        return made

    def _recorded(self, run_id: str, known: Recorded | None) -> Recorded | None:
        if self._metadata is None or time.monotonic() < self._quiet_until:
            return None
        try:
            recorded = self._metadata.run(run_id, known)
        except BackendError as error:
            self.trouble, self._quiet_until = str(error), time.monotonic() + _SILENT_FOR
            return None
        self.trouble = ""
        return recorded


@dataclass(frozen=True)
class _CachedRecords:
    """The records of a run: when they were read, at which states of its tasks, and the result."""

    at: float
    states: tuple[Any, ...]
    recorded: Recorded
    made: Mapping[str, TaskRecord]
