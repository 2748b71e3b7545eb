"""What the steps of a run saved (``kf.save``) is registered when the run is seen to have succeeded."""

from __future__ import annotations

import time
from collections.abc import Callable

from kfnb.entities import RunSnapshot, RunState
from kfnb.resources.models.local.saved_models import Destination
from kfnb.resources.models.local.saved_on_cluster import ClusterRegistration, register_saved_on_cluster

_PAUSE = 60.0
"""Seconds before what could not be registered is tried again."""


class SavedModels:
    """Registers the saved models of one run. ``to`` returns where; the settings may change while a run is observed."""

    def __init__(self, to: Callable[[], Destination]) -> None:
        self._to = to
        self._found: ClusterRegistration | None = None
        self._tried = float("-inf")

    def notes(self, run: RunSnapshot) -> tuple[str, ...]:
        """Register them if the run has succeeded, unless they are. Return notes for the user."""
        if run.state is not RunState.SUCCEEDED:
            return ()
        due = self._found is None or not self._found.complete
        if due and time.monotonic() - self._tried >= _PAUSE:
            self._found = register_saved_on_cluster(run, self._to())
            self._tried = time.monotonic()
        return self._found.notes if self._found else ()
