"""One run on the server: how it is requested, actions on it, and its state between two polls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from kfnb import entities
from kfnb.entities import Amounts, LogLine, Purpose, RunState
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError, RunNotFound
from kfnb.jobs.polling import Pace
from kfnb.remote.kfp.server import KfpServer, MissingResource
from kfnb.resources.runs.kubeflow.limits import cautions
from kfnb.resources.runs.kubeflow.pipeline_versions import Versions
from kfnb.resources.runs.kubeflow.plan import Plan, plan_of
from kfnb.resources.runs.kubeflow.readiness import due
from kfnb.resources.runs.kubeflow.retried_run import begun_again
from kfnb.resources.runs.kubeflow.run_builder import fold, spec_of
from kfnb.resources.runs.kubeflow.run_cache import RunCache
from kfnb.resources.runs.kubeflow.saved_models import SavedModels
from kfnb.resources.runs.kubeflow.task_facts import NOTHING, TaskFacts
from kfnb.resources.runs.kubeflow.task_rows import Row, lag_behind, rows_of

Json = Mapping[str, Any]

_RETRIED = 60.0
"""Seconds that a server may take to report that a retried run runs again (the recordings: 6)."""
_ANEW = 6
"""The details of a run are requested again after this many of the longest pauses between polls."""
_DEPTH = 3
"""Maximum number of rounds in which details of a run reveal tasks with further details."""


class DetailSource(Protocol):
    """Details of a run from pods, logs and ML Metadata, beside the server's rows."""

    @property
    def trouble(self) -> str:
        """Why artifacts and metrics are unknown; empty if they are known."""
        ...

    def facts(self, run: entities.RunSnapshot, spec: Json) -> Mapping[str, TaskFacts]:
        """The facts about its tasks, by their ids. Raises ``BackendError``."""
        ...

    def logs(
        self, snapshot: Callable[[], entities.RunSnapshot], spec: Json, task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """What its tasks wrote, as in ``RunEngine.logs``; ``snapshot`` returns the current run."""
        ...

    def occupied(self, run: entities.RunSnapshot, spec: Json) -> Mapping[Purpose, Amounts]:
        """What the run occupied, by its pods, or where they are gone, by what the pipeline requests."""
        ...

    def log_places(
        self, snapshot: Callable[[], entities.RunSnapshot], spec: Json, task: str | None
    ) -> tuple[str, ...]:
        """Where the logs are, for each task that has begun."""
        ...

    def recorded(self, run: entities.RunSnapshot) -> RunRecord:
        """What its tasks ran on. Raises ``BackendError``."""
        ...


class TrackedRun:
    """One run: requests it, and keeps its state between two polls."""

    def __init__(
        self,
        server: KfpServer,
        run_id: str,
        experiment: Callable[[str], str],
        versions: Versions,
        insight: DetailSource | None,
        page: Callable[[str], str],
        pace: Callable[[], Pace],
        saved: SavedModels | None = None,
    ) -> None:
        self.watch = RunCache(self._request, pace)
        self.spec: Json = {}
        self._server, self._id = server, run_id
        self._experiment, self._versions, self._insight, self._page = experiment, versions, insight, page
        self._saved = saved
        self._plan = Plan()
        self._cautions: tuple[str, ...] = ()
        self._rows: Sequence[Row] = ()
        self._facts: Mapping[str, TaskFacts] = {}
        self._known: Any = None
        self._pace, self._learned = pace, float("-inf")
        self._entries, self._retried = 0, (0, float("-inf"))

    def act(self, action: str, *, again: bool) -> None:
        """Send an action on the run."""
        try:
            self._server.request("POST", f"/runs/{self._id}:{action}", again=again)
        except MissingResource:
            raise self._gone() from None
        if action == "retry":
            self._retried = (self._entries, time.monotonic() + _RETRIED)
        self.watch.soon()

    def delete(self) -> None:
        """Delete the run permanently."""
        try:
            self._server.request("DELETE", f"/runs/{self._id}", again=True)
        except MissingResource:
            raise self._gone() from None
        self.watch.soon()

    def answer(self) -> Json:
        """What the server says of the run, with its spec. Raises ``RunNotFound``."""
        try:
            return self._versions.with_spec(self._server.get(f"/runs/{self._id}"))
        except MissingResource:
            raise self._gone() from None

    def _request(self) -> entities.RunSnapshot:
        answer = self.answer()
        spec = spec_of(answer)
        if spec != self.spec:
            self.spec, self._plan, self._cautions = spec, plan_of(spec), tuple(cautions(spec))
        self._entries = len(answer.get("state_history") or ())
        self._rows = rows_of(answer)
        run = self._folded(answer)
        return self._not_yet_again(replace(run, notes=(*run.notes, *self._cautions)))

    def _folded(self, answer: Json) -> entities.RunSnapshot:
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
            note = f"outputs, artifacts and metrics are not available: {self._insight.trouble}"
            return replace(run, notes=(*run.notes, note))
        return replace(run, notes=(*run.notes, *self._saved.notes(run))) if self._saved else run

    def _of_task(self, task: str) -> TaskFacts:
        return self._facts.get(task, NOTHING)

    def _learn(self, insight: DetailSource, run: entities.RunSnapshot) -> bool:
        """Request the details of the run; return whether they changed.

        They are requested after a change or while a task waits; and from time to time, since the server may have
        stopped reporting (see ``fold``).
        """
        states = [(task.id, task.state, task.attempts) for task in run.tasks]
        due = time.monotonic() - self._learned >= _ANEW * self._pace().longest
        if states == self._known and (run.state.finished or not (due or self._waits(run))):
            return False
        self._learned = time.monotonic()
        facts: Mapping[str, TaskFacts] | None = None
        with suppress(BackendError):  # show the run even without its details
            facts = insight.facts(run, self.spec)
        if facts is None:
            return False
        changed, self._facts, self._known = facts != self._facts, facts, states
        return changed

    def _waits(self, run: entities.RunSnapshot) -> bool:
        """Whether a task waits for more than the pipeline (a node, an image, a volume), or rows are outdated.

        A task that is due may wait, and so may a task that runs by its row without a running pod.
        """
        running = (task for task in run.tasks if task.state is RunState.RUNNING and not task.group)
        return (
            any(due(run))
            or lag_behind(self._rows, run)
            or not all(self._of_task(task.id).going for task in running)
        )

    def _not_yet_again(self, run: entities.RunSnapshot) -> entities.RunSnapshot:
        """Correct a retried run, which the server reports as failed for a moment."""
        entries, until = self._retried
        if run.state.finished and self._entries <= entries and time.monotonic() < until:
            return begun_again(run)
        return run

    def _gone(self) -> RunNotFound:
        return RunNotFound(f"run {self._id} not found on {self._server.url}; it may have been deleted")
