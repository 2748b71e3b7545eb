"""The importances of a study's parameters while the study is shown: a thread computes them, since that takes long."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import replace

from kfnb.diagnostics import logger
from kfnb.resources.studies import model
from kfnb.resources.studies.importance import importances

_logger = logger(__package__)

MORE = 1.15
"""Growth in the number of trials with a value after which importances are recomputed."""

FEWEST = 8
"""Trials with a value below which nothing is sent of a study that is still running."""

MOST = 1000
"""Trials used; of more, an even sample."""


class KnownImportances:
    """What is known of one study's importances."""

    def __init__(self) -> None:
        self._values: Mapping[str, float] = {}
        self._counted = 0
        self._thread: threading.Thread | None = None
        self._fresh = False
        self._first = True

    def of(self, study: model.StudySnapshot) -> tuple[Mapping[str, float], bool]:
        """The importances as far as they are known, and whether that is news."""
        fresh, self._fresh = self._fresh, False
        first, self._first = self._first, False
        if first:  # the page gets the study before that
            return self._values, False
        count = _measured(study)
        enough = max(FEWEST, MORE * self._counted)
        due = count != self._counted if study.state.finished else count >= enough
        if due and not self._busy:
            self._counted = count
            self._thread = threading.Thread(target=self._compute, args=(study,), daemon=True)
            self._thread.start()
        return self._values, fresh

    def settled(self, study: model.StudySnapshot) -> bool:
        """Whether no more will be sent of a study that has ended."""
        return not (self._busy or self._fresh) and self._counted == _measured(study)

    @property
    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _compute(self, study: model.StudySnapshot) -> None:
        try:
            self._values = importances(_some(study))
        except Exception:  # without them, the study is shown all the same
            _logger.debug(
                "The importances of the parameters of study %s cannot be computed.", study.name, exc_info=True
            )
            self._values = {}
        self._fresh = True


def _some(study: model.StudySnapshot) -> model.StudySnapshot:
    step = math.ceil(len(study.trials) / MOST)
    return replace(study, trials=study.trials[::step]) if step > 1 else study


def _measured(study: model.StudySnapshot) -> int:
    return sum(trial.state is model.TrialState.SUCCEEDED for trial in study.trials)
