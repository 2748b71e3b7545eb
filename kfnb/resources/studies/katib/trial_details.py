"""Details of trials that Katib's resources lack: the failure reason and intermediate objective values."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from kfnb.entities import TaskError
from kfnb.errors import BackendError, Hidden
from kfnb.resources.studies.katib.logs import Logs, TrialContainer
from kfnb.resources.studies.katib.observations import Curve, Observations
from kfnb.resources.studies.model import Trial, TrialState

Manager = Callable[[], AbstractContextManager[Observations]]
"""Reaches Katib's DB manager, for as long as it is asked."""

_WITH_VALUES = (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
_PODS = 3
"""Failed trials whose pods are read in one poll."""
_AGAIN = 60.0
"""Seconds until a DB manager that did not answer is asked again."""


class Details:
    """What was found out of trials, by Katib's names for them; each is asked about once, as it does not change.

    ``note`` says what cannot be found out; empty where all can.
    """

    def __init__(self, logs: Logs, manager: Manager | None) -> None:
        self.note = ""
        self._logs, self._manager = logs, manager
        self._causes: dict[str, TaskError | None] = {}
        self._curves: dict[str, Curve] = {}
        self._not_before = 0.0

    def refresh(self, trials: Sequence[Trial], metric: str, program: TrialContainer, seconds: float) -> None:
        """Read the details of trials that have ended; curves for about ``seconds``, and the rest in the next poll."""
        failed = [one for one in trials if one.state is TrialState.FAILED and one.name not in self._causes]
        for trial in failed[:_PODS]:
            self._causes[trial.name] = self._cause(trial.name, program)
        lacking = [one.name for one in trials if one.state in _WITH_VALUES and one.name not in self._curves]
        if lacking and self._manager is not None and time.monotonic() >= self._not_before:
            self._read_curves(lacking, metric, self._manager, time.monotonic() + seconds)

    def of(self, trial: Trial) -> Trial:
        """A trial with what is known of it."""
        cause, curve = self._causes.get(trial.name), self._curves.get(trial.name, ())
        return replace(trial, error=cause or trial.error, curve=curve) if cause or curve else trial

    def _cause(self, trial: str, program: TrialContainer) -> TaskError | None:
        with suppress(BackendError):
            return self._logs.why(trial, program)
        return None

    def _read_curves(self, names: Iterable[str], metric: str, manager: Manager, until: float) -> None:
        try:
            self.note = ""
            with manager() as observations:
                self._curves.update(_until(observations.curves(names, metric), until))
        except BackendError as error:
            self.note = f"no learning curves: {error}"
            forever = isinstance(error, Hidden)
            self._not_before = float("inf") if forever else time.monotonic() + _AGAIN


def _until(curves: Iterator[tuple[str, Curve]], until: float) -> Iterator[tuple[str, Curve]]:
    for one in curves:
        yield one
        if time.monotonic() >= until:
            return
