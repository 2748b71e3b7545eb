"""The search loop: runs suggested trials in parallel until the study ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from kfnb.entities import RunState
from kfnb.resources.studies.local.journal import StudyJournal
from kfnb.resources.studies.local.outcome import KILLED, Outcome
from kfnb.resources.studies.local.spent import Spent
from kfnb.resources.studies.local.study_end import End
from kfnb.resources.studies.local.suggester import Suggester, Suggestion
from kfnb.resources.studies.local.workers import Report
from kfnb.resources.studies.model import Trial, TrialState
from kfnb.resources.studies.search import Search


class TrialRunner(Protocol):
    """What runs trials."""

    async def run(self, number: int, params: Mapping[str, Any], report: Report) -> Outcome:
        """Run one trial to its end; ``report`` gets the objective while the trial runs."""
        ...

    async def close(self) -> None:
        """Let go of what still runs."""
        ...


@dataclass
class SearchLoop:
    """One attempt at a search. ``most`` is the number of trials with a result at which it ends, None for no limit;
    ``past`` are the trials there were before, by number, ``spent`` is what they and the new ones have cost.
    """

    search: Search
    most: int | None
    journal: StudyJournal
    suggester: Suggester
    trials: TrialRunner
    end: End
    past: Mapping[int, Trial]
    spent: Spent
    _failed: int = 0
    _last: dict[int, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Search."""
        for lost in self.suggester.settle():
            self.journal.began(lost.number, lost.params)
            self.journal.ended(lost.number, KILLED)
        self._results = sum(trial.state is not TrialState.KILLED for trial in self.past.values())
        requested = asyncio.create_task(self.end.requested.wait())
        going: set[asyncio.Task[None]] = set()
        try:
            while not self.end.requested.is_set():
                self._begin(going)
                if not going:
                    if self.most is not None and self._results < self.most:
                        self.end.now(RunState.SUCCEEDED, reason="the grid has no more points")
                    break
                done, _ = await asyncio.wait({*going, requested}, return_when=asyncio.FIRST_COMPLETED)
                going -= done
                for task in done - {requested}:
                    task.result()
        finally:
            for task in (requested, *going):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _begin(self, going: set[asyncio.Task[None]]) -> None:
        """Begin trials, as long as there is room for more."""
        while len(going) < self.search.parallel and (
            self.most is None or self._results + len(going) < self.most
        ):
            suggestion = self.suggester.next()
            if suggestion is None:
                return
            going.add(asyncio.create_task(self._trial(suggestion)))

    async def _trial(self, suggestion: Suggestion) -> None:
        number = suggestion.number
        self.journal.began(number, suggestion.params)
        outcome = await self.trials.run(number, suggestion.params, partial(self._reported, number))
        if outcome.state is TrialState.EARLY_STOPPED and outcome.value is None:
            outcome = replace(outcome, value=self._last.get(number))
        self._last.pop(number, None)
        self.journal.ended(number, outcome)
        self.suggester.tell(number, outcome)
        self._results += 1
        self._judge(number, outcome)
        if reason := self.spent.add(outcome):
            self.end.now(RunState.SUCCEEDED, reason=reason)

    def _reported(self, number: int, step: float, value: float) -> bool:
        self._last[number] = value
        self.journal.reported(number, step, value)
        return self.suggester.report(number, step, value)

    def _judge(self, number: int, outcome: Outcome) -> None:
        """End the study where a trial's outcome says so."""
        search = self.search
        if outcome.state is TrialState.SUCCEEDED:
            if outcome.value is not None and search.objective.reached(outcome.value):
                self.end.now(RunState.SUCCEEDED, reason="goal reached")
            return
        self._failed += outcome.state in (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)
        if search.max_failed is not None and self._failed >= max(1, search.max_failed):  # as Katib counts
            detail = f": {outcome.error.message}" if outcome.error else ""
            error = f"{self._failed} of the trials failed, --max-failed is {search.max_failed}; trial {number}{detail}"
            self.end.now(RunState.FAILED, reason="too many trials failed", error=error)
