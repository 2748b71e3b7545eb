"""One run on the server: how it is asked for, what is done to it, and what is kept of it between two looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from kfnb import model
from kfnb.errors import BackendError, RunNotFound
from kfnb.jobs.polling import Pace
from kfnb.model import LogLine, RunState
from kfnb.remote.kfp.server import NotFound, Server
from kfnb.resources.runs.kubeflow.fold import fold, spec_of
from kfnb.resources.runs.kubeflow.limits import cautions
from kfnb.resources.runs.kubeflow.pipeline_versions import Versions
from kfnb.resources.runs.kubeflow.plan import Plan, plan_of
from kfnb.resources.runs.kubeflow.readiness import due
from kfnb.resources.runs.kubeflow.retried_run import begun_again
from kfnb.resources.runs.kubeflow.run_cache import Watch
from kfnb.resources.runs.kubeflow.task_facts import NOTHING, Told
from kfnb.resources.runs.kubeflow.task_rows import Row, lag_behind, rows_of

Json = Mapping[str, Any]

_RETRIED = 60.0
"""Seconds that a server may take to say that a run which is retried runs again (the recordings: 6)."""
_ANEW = 6
"""So many of the longest pauses between looks, and what else is known of a run is asked for anew."""
_DEPTH = 3
"""What is learned of a run may show tasks of which more is to be learned, so many times."""


class Insight(Protocol):
    """What pods, logs and ML Metadata know of a run, beside the server's rows."""

    @property
    def trouble(self) -> str:
        """Why artifacts and metrics are not known; empty if they are."""
        ...

    def told(self, run: model.Run, spec: Json) -> Mapping[str, Told]:
        """What is known of its tasks, by their ids. Raises ``BackendError``."""
        ...

    def logs(
        self, look: Callable[[], model.Run], spec: Json, task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """What its tasks wrote, as ``Backend.logs`` has it; ``look`` gives the run as it is."""
        ...

    def log_places(self, look: Callable[[], model.Run], spec: Json, task: str | None) -> tuple[str, ...]:
        """Where that is kept, for each task that has begun."""
        ...


class Look:
    """One run: how it is asked for, and what is kept of it between two looks."""

    def __init__(
        self,
        server: Server,
        run_id: str,
        experiment: Callable[[str], str],
        versions: Versions,
        insight: Insight | None,
        page: Callable[[str], str],
        pace: Callable[[], Pace],
    ) -> None:
        self.watch = Watch(self._ask, pace)
        self.spec: Json = {}
        self._server, self._id = server, run_id
        self._experiment, self._versions, self._insight, self._page = experiment, versions, insight, page
        self._plan = Plan()
        self._cautions: tuple[str, ...] = ()
        self._rows: Sequence[Row] = ()
        self._told: Mapping[str, Told] = {}
        self._known: Any = None
        self._pace, self._learned = pace, float("-inf")
        self._entries, self._retried = 0, (0, float("-inf"))

    def act(self, action: str, *, again: bool) -> None:
        """Do something to the run."""
        try:
            self._server.ask("POST", f"/runs/{self._id}:{action}", again=again)
        except NotFound:
            raise self._gone() from None
        if action == "retry":
            self._retried = (self._entries, time.monotonic() + _RETRIED)
        self.watch.soon()

    def delete(self) -> None:
        """Forget the run for good."""
        try:
            self._server.ask("DELETE", f"/runs/{self._id}", again=True)
        except NotFound:
            raise self._gone() from None
        self.watch.soon()

    def _ask(self) -> model.Run:
        try:
            answer = self._versions.with_spec(self._server.get(f"/runs/{self._id}"))
        except NotFound:
            raise self._gone() from None
        spec = spec_of(answer)
        if spec != self.spec:
            self.spec, self._plan, self._cautions = spec, plan_of(spec), tuple(cautions(spec))
        self._entries = len(answer.get("state_history") or ())
        self._rows = rows_of(answer)
        run = self._folded(answer)
        return self._not_yet_again(replace(run, notes=(*run.notes, *self._cautions)))

    def _folded(self, answer: Json) -> model.Run:
        experiment = self._experiment(str(answer.get("experiment_id", "")))
        page = self._page(self._id)
        run = fold(answer, self._plan, self._of_task, experiment, page)
        if self._insight is None:
            return run
        for _ in range(_DEPTH):
            if not self._learn(self._insight, run):
                break
            run = fold(answer, self._plan, self._of_task, experiment, page)
        if self._insight.trouble:
            note = f"outputs, artifacts and metrics cannot be shown: {self._insight.trouble}"
            return replace(run, notes=(*run.notes, note))
        return run

    def _of_task(self, task: str) -> Told:
        return self._told.get(task, NOTHING)

    def _learn(self, insight: Insight, run: model.Run) -> bool:
        """Ask what else is known of the run, and say whether that is new.

        It is asked where something has happened or somebody waits; and now and then, since the server may have stopped
        to tell (see ``fold``).
        """
        states = [(task.id, task.state, task.attempts) for task in run.tasks]
        due = time.monotonic() - self._learned >= _ANEW * self._pace().longest
        if states == self._known and (run.state.finished or not (due or self._waits(run))):
            return False
        self._learned = time.monotonic()
        told: Mapping[str, Told] | None = None
        with suppress(BackendError):  # the picture of the run is worth more than its details
            told = insight.told(run, self.spec)
        if told is None:
            return False
        changed, self._told, self._known = told != self._told, told, states
        return changed

    def _waits(self, run: model.Run) -> bool:
        """Whether a task waits for more than the pipeline (a node, an image, a volume), or others know more than rows.

        A task that is due may wait, and so may one that runs by its row and has no pod that does.
        """
        running = (task for task in run.tasks if task.state is RunState.RUNNING and not task.group)
        return (
            any(due(run))
            or lag_behind(self._rows, run)
            or not all(self._of_task(task.id).going for task in running)
        )

    def _not_yet_again(self, run: model.Run) -> model.Run:
        """For a moment, a run that is retried is still said to have failed."""
        entries, until = self._retried
        if run.state.finished and self._entries <= entries and time.monotonic() < until:
            return begun_again(run)
        return run

    def _gone(self) -> RunNotFound:
        return RunNotFound(
            f"run {self._id} is not there: {self._server.url} knows no such run, or it was deleted"
        )
