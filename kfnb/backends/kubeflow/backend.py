"""The Kubeflow backend: pipelines run on a cluster that Kubeflow Pipelines drives."""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol

from kfnb import model
from kfnb.backends.backend import LogLine, Pace, Submission
from kfnb.backends.events import Event
from kfnb.backends.kubeflow.experiments import Experiments
from kfnb.backends.kubeflow.fold import NOTHING, Told, fold, outline, spec_of
from kfnb.backends.kubeflow.listing import Wanted, pages
from kfnb.backends.kubeflow.pipelines import Pipelines
from kfnb.backends.kubeflow.plan import Plan, plan_of
from kfnb.backends.kubeflow.schedules import Schedules
from kfnb.backends.kubeflow.server import NotFound, Server
from kfnb.backends.kubeflow.submit import order
from kfnb.backends.kubeflow.versions import Versions
from kfnb.backends.kubeflow.watch import Watch
from kfnb.errors import BackendError, BackendUnavailable, RunNotFound
from kfnb.model import RunState

Json = Mapping[str, Any]

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEARCHED = 200
"""How many of the newest runs are searched for one whose id begins as given."""
_RETRIED = 60.0
"""Seconds that a server may take to say that a run which is retried runs again (the recordings: 6)."""


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


class KubeflowBackend:
    """Runs pipelines on Kubeflow. There is one for each server in a process, since it knows who looks at what.

    ``page`` gives the address of the page that shows a run, from its id. ``root`` and ``account`` are those of
    ``submit.order``; ``close`` ends what was opened for it.
    """

    name = "kubeflow"
    pace = Pace(1, 15)

    def __init__(
        self,
        server: Server,
        *,
        insight: Insight | None = None,
        page: Callable[[str], str] = lambda _: "",
        root: str = "",
        account: str = "",
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._server, self._insight, self._page = server, insight, page
        self.close = close
        self._root, self._account = root, account
        self._experiments = Experiments(server)
        self._versions = Versions(server)
        self._looks: dict[str, _Look] = {}
        self.pipelines = Pipelines(server, page("").removesuffix("runs/details/"))
        self.schedules = Schedules(server, self._experiments, self.pipelines, root=root, account=account)

    def submit(self, submission: Submission) -> str:
        """Start a run and return its id at once. It is never sent twice."""
        identifier = self._experiments.needed(submission.experiment)
        try:
            return self._start(submission, identifier)
        except NotFound:  # the experiment may have been deleted since it was looked up
            self._experiments.forget(submission.experiment)
            again = self._experiments.needed(submission.experiment)
            if again == identifier:
                raise
            return self._start(submission, again)

    def _start(self, submission: Submission, experiment: str) -> str:
        body = order(submission, experiment, root=self._root, account=self._account)
        return str(self._server.ask("POST", "/runs", body)["run_id"])

    def get(self, run_id: str) -> model.Run:
        """The run as it is now, or was a second ago. Raises ``RunNotFound``."""
        return self._look(run_id).watch.run(self.pace.shortest)

    def list(
        self,
        *,
        limit: int = 20,
        experiment: str = "",
        state: RunState | None = None,
        name: str = "",
        since: float | None = None,
        until: float | None = None,
        archived: bool = False,
    ) -> builtins.list[model.Run]:
        """The newest runs first, without their tasks: of an experiment, in a state, by name, by time."""
        identifier = self._experiments.find(experiment) if experiment else ""
        if experiment and not identifier:
            raise BackendError(f"there is no experiment {experiment}")
        wanted = Wanted(identifier, state, name, since, until, archived)
        found = (self._outline(answer) for answer in pages(self._server, wanted, limit))
        fitting = (run for run in found if state is None or run.state is state)
        return builtins.list(islice(fitting, limit))

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The run's events above ``after``; with ``follow``, as they come, until the run is finished.

        Who follows is not told of a server that does not answer for a while: it is asked again until it does.
        """
        watch, seen = self._look(run_id).watch, False
        while True:
            try:
                new, finished = watch.events(after), watch.run(float("inf")).state.finished
                seen = True
            except BackendUnavailable:
                if not (follow and seen):
                    raise
                new, finished = [], False
            for event in new:
                after = event.seq
                yield event
            if finished or not follow:
                return
            time.sleep(self.pace.shortest)

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine | None]:
        """What the tasks wrote, in order; of one task (by id or name) or of all."""
        look = self._look(run_id)
        look.watch.run(self.pace.shortest)
        if self._insight is None:
            raise BackendError("logs of runs on Kubeflow cannot be read from here")
        return self._insight.logs(look.watch.run, look.spec, task, follow=follow)

    def stop(self, run_id: str) -> None:
        """Ask the run to end; harmless when it is finished."""
        look = self._look(run_id)
        if not look.watch.run(0).state.finished:
            look.act("terminate", again=True)

    def retry(self, run_id: str) -> None:
        """Run again what did not succeed of a finished run. Raises ``BackendError`` for one that still runs."""
        look = self._look(run_id)
        state = look.watch.run(0).state
        if state is RunState.SUCCEEDED:
            return
        if not state.finished:
            raise BackendError(f"run {run_id} is {state}; stop it first, or wait for it")
        look.act("retry", again=False)

    def archive(self, run_id: str) -> None:
        """Put the run away: it is in no list that does not ask for those archived."""
        self._look(run_id).act("archive", again=True)

    def unarchive(self, run_id: str) -> None:
        """Put the run back into the lists."""
        self._look(run_id).act("unarchive", again=True)

    def delete(self, run_id: str) -> None:
        """Forget a finished run for good. Raises ``BackendError`` for one that still runs."""
        look = self._look(run_id)
        state = look.watch.run(0).state
        if not state.finished:
            raise BackendError(f"run {run_id} is {state}; stop it first, or wait for it")
        look.delete()

    def experiments(self) -> builtins.list[model.Experiment]:
        """The experiments there are."""
        return self._experiments.all()

    def _look(self, run_id: str) -> _Look:
        whole = run_id if _ID.fullmatch(run_id) else self._searched(run_id)
        if whole not in self._looks:
            self._looks[whole] = _Look(
                self._server, whole, self._experiments.name, self._versions, self._insight, self._page
            )
        return self._looks[whole]

    def _searched(self, start: str) -> str:
        found = [
            str(answer["run_id"])
            for answer in islice(pages(self._server, Wanted(archived=True), _SEARCHED), _SEARCHED)
        ]
        begun = [one for one in found if start and one.startswith(start)]
        if len(begun) > 1:
            raise RunNotFound(
                f"{len(begun)} runs begin with {start}, as {begun[0]} does: give more of the id"
            )
        if not begun:
            raise RunNotFound(
                f"no run's id begins with {start} among the newest {_SEARCHED} at {self._server.url}"
            )
        return begun[0]

    def _outline(self, answer: Json) -> model.Run:
        run_id, answer = str(answer.get("run_id", "")), self._versions.with_spec(answer)
        return outline(
            answer, self._experiments.name(str(answer.get("experiment_id", ""))), self._page(run_id)
        )


class _Look:
    """One run: how it is asked for, and what is kept of it between two looks."""

    def __init__(
        self,
        server: Server,
        run_id: str,
        experiment: Callable[[str], str],
        versions: Versions,
        insight: Insight | None,
        page: Callable[[str], str],
    ) -> None:
        self.watch = Watch(self._ask, KubeflowBackend.pace)
        self.spec: Json = {}
        self._server, self._id = server, run_id
        self._experiment, self._versions, self._insight, self._page = experiment, versions, insight, page
        self._plan = Plan()
        self._told: Mapping[str, Told] = {}
        self._known: Any = None
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
            self.spec, self._plan = spec, plan_of(spec)
        self._entries = len(answer.get("state_history") or ())
        return self._not_yet_again(self._folded(answer))

    def _folded(self, answer: Json) -> model.Run:
        experiment = self._experiment(str(answer.get("experiment_id", "")))
        page = self._page(self._id)
        run = fold(answer, self._plan, self._of_task, experiment, page)
        if self._insight is None:
            return run
        if self._learn(self._insight, run):
            run = fold(answer, self._plan, self._of_task, experiment, page)
        if run.state.finished and self._insight.trouble:
            note = f"artifacts and metrics cannot be shown: {self._insight.trouble}"
            return replace(run, notes=(*run.notes, note))
        return run

    def _of_task(self, task: str) -> Told:
        return self._told.get(task, NOTHING)

    def _learn(self, insight: Insight, run: model.Run) -> bool:
        """Ask what else is known of the run, where something has happened or somebody waits; whether that is new."""
        states = [(task.id, task.state, task.attempts) for task in run.tasks]
        if states == self._known and (run.state.finished or not any(map(_waits, run.tasks))):
            return False
        told: Mapping[str, Told] | None = None
        with suppress(BackendError):  # the picture of the run is worth more than its details
            told = insight.told(run, self.spec)
        if told is None:
            return False
        changed, self._told, self._known = told != self._told, told, states
        return changed

    def _not_yet_again(self, run: model.Run) -> model.Run:
        """For a moment, a run that is retried is still said to have failed."""
        entries, until = self._retried
        if run.state.finished and self._entries <= entries and time.monotonic() < until:
            return replace(run, state=RunState.PENDING, finished=None, error="", result={}, metrics={})
        return run

    def _gone(self) -> RunNotFound:
        return RunNotFound(
            f"run {self._id} is not there: {self._server.url} knows no such run, or it was deleted"
        )


def _waits(task: model.Task) -> bool:
    return not task.group and task.state is RunState.RUNNING
