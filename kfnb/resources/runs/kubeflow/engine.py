"""The engine of runs on a cluster: pipelines run on a cluster that Kubeflow Pipelines drives."""

from __future__ import annotations

import builtins
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from kfnb import entities
from kfnb.entities import Amounts, LogLine, Purpose, RunState
from kfnb.entities.manifest import RunRecord
from kfnb.entities.manifest_json import read_layers
from kfnb.errors import BackendError, RunNotFound
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.remote.kfp.server import KfpServer, MissingResource
from kfnb.resources.experiments.model import Experiment
from kfnb.resources.models.local.saved_models import Destination
from kfnb.resources.runs.engine import Submission, check_finished
from kfnb.resources.runs.kubeflow import environment_variables
from kfnb.resources.runs.kubeflow.origins import NOT_KEPT, Origins
from kfnb.resources.runs.kubeflow.pipeline_versions import Versions
from kfnb.resources.runs.kubeflow.run_builder import outline, submission_of
from kfnb.resources.runs.kubeflow.run_cache import forget_finished
from kfnb.resources.runs.kubeflow.run_filter import pages
from kfnb.resources.runs.kubeflow.saved_models import SavedModels
from kfnb.resources.runs.kubeflow.submitter import DEFAULT_TERMS, SubmissionTerms, Submitter
from kfnb.resources.runs.kubeflow.tracked_run import DetailSource, TrackedRun
from kfnb.resources.runs.selection import LISTED, Selection
from kfnb.resources.runs.step_packages import stage_of

Json = Mapping[str, Any]

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEARCHED = 200
"""How many of the newest runs are searched for a prefix of an id."""
_PLACES = 3
"""Maximum number of named places of logs."""


class KubeflowRunEngine:
    """Runs pipelines on Kubeflow. There is one per server in a process, since it tracks which runs are observed.

    ``home`` is the address of the server's pages, empty if it is unknown; ``terms`` are what pipelines are sent with;
    ``registry`` returns where saved models are registered, and without it none are; ``origins`` keeps what started
    runs; ``close`` closes what was opened.
    A run without changes is requested at the pace ``polling``, or less often: all observed runs share one budget of 12
    requests a minute.
    """

    name = "kubeflow"
    polling = Pace(1, 5)

    def __init__(
        self,
        server: KfpServer,
        terms: SubmissionTerms = DEFAULT_TERMS,
        *,
        home: str = "",
        insight: DetailSource | None = None,
        registry: Callable[[], Destination] | None = None,
        origins: Origins = NOT_KEPT,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._server, self._insight, self._registry = server, insight, registry
        self.home, self.close, self._origins = home, close, origins
        self.submitter = Submitter(server, terms)
        self._experiments = self.submitter.experiments
        self._versions = Versions(server)
        self._tracked: dict[str, TrackedRun] = {}

    @property
    def pace(self) -> Pace:
        """How often a run may be polled: a poll alone sends no request to the server."""
        return Pace(self.polling.shortest, self.polling.shortest)

    def cautions(self, submission: Submission) -> Iterator[str]:
        """Notes on environment variables that steps read and the pods will not have, and on trainings."""
        yield from submission.notes
        yield from self.submitter.cautions(submission)
        yield from environment_variables.cautions(
            submission.spec, submission.platform, os.environ, submission.env
        )

    def submit(self, submission: Submission) -> str:
        """Start a run and return its id at once. It is never sent twice."""
        identifier = self._experiments.needed(submission.experiment)
        try:
            return self._start(submission, identifier)
        except MissingResource:  # the experiment may have been deleted since it was looked up
            self._experiments.forget(submission.experiment)
            again = self._experiments.needed(submission.experiment)
            if again == identifier:
                raise
            return self._start(submission, again)

    def _start(self, submission: Submission, experiment: str) -> str:
        body = self.submitter.body(submission, experiment)
        run_id = str(self._server.request("POST", "/runs", body)["run_id"])
        self._origins.keep(run_id, submission.origin)
        return run_id

    def get(self, run_id: str) -> entities.RunSnapshot:
        """The run as of at most a second ago. Raises ``RunNotFound``."""
        return self._track(run_id).watch.run(self.pace.shortest)

    def list(self, selection: Selection = LISTED, *, limit: int = 20) -> builtins.list[entities.RunSnapshot]:
        """The newest runs first, without their tasks."""
        experiment = self._experiments.find(selection.experiment) if selection.experiment else ""
        if selection.experiment and not experiment:
            raise BackendError(f"unknown experiment {selection.experiment}")
        answers = pages(self._server, selection, experiment, limit)
        return builtins.list(islice(filter(selection.fits, map(self._outline, answers)), limit))

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The run's events above ``after``; with ``follow``, as they arrive, until the run is finished.

        A server that does not answer, or refuses the token, is asked again for two hours; meanwhile the run has a note
        about it.
        """
        yield from self._track(run_id).watch.followed(after, follow=follow, pause=self.pace.shortest)

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine | None]:
        """What the tasks wrote, in order; of one task (by id or name) or of all."""
        tracked = self._track(run_id)
        tracked.watch.run(self.pace.shortest)
        if self._insight is None:
            raise BackendError("cannot read logs of runs on Kubeflow from here")
        return self._insight.logs(tracked.watch.run, tracked.spec, task, follow=follow)

    def submitted(self, run_id: str) -> Submission:
        """What the run was made of: its spec as it was compiled, and its arguments."""
        return submission_of(self._track(run_id).answer())

    def occupied(self, run_id: str) -> Mapping[Purpose, Amounts]:
        """What a run occupied until now; unknown of tasks whose pods are gone and that request nothing."""
        tracked = self._track(run_id)
        run = tracked.watch.run(self.pace.shortest)
        return run.occupied if self._insight is None else self._insight.occupied(run, tracked.spec)

    def log_place(self, run_id: str, task: str | None = None) -> str:
        """The addresses of the stored logs, or the pods that still have them."""
        tracked = self._track(run_id)
        if self._insight is None:
            return ""
        places = self._insight.log_places(tracked.watch.run, tracked.spec, task)
        more = len(places) - _PLACES
        return ", ".join(places[:_PLACES]) + (f" and {more} more" if more > 0 else "")

    def recorded(self, run_id: str) -> RunRecord:
        """What was recorded of the notebook that started the run, and what Kubernetes knows of its pods."""
        tracked, origin = self._track(run_id), self._origins.of(run_id)
        layers, notes = read_layers(origin.get("layers", {}))
        if not layers:
            notes = (*notes, "what the notebook was is not known: the run was started elsewhere")
        run = tracked.watch.run(self.pace.shortest)
        found = RunRecord() if self._insight is None else self._insight.recorded(run)
        stage = str(origin.get("stage", ""))
        return replace(found, origin=layers, stage=stage, notes=(*notes, *found.notes))

    def stop(self, run_id: str) -> None:
        """Ask the run to end; does nothing if it is finished."""
        tracked = self._track(run_id)
        if not tracked.watch.run(0).state.finished:
            tracked.act("terminate", again=True)

    def retry(self, run_id: str) -> None:
        """Run again what did not succeed of a finished run. Raises ``BackendError`` for a running run."""
        tracked = self._track(run_id)
        state = tracked.watch.run(0).state
        if state is RunState.SUCCEEDED:
            return
        check_finished(run_id, state)
        tracked.act("retry", again=False)

    def archive(self, run_id: str) -> None:
        """Archive the run: only lists with archived runs show it."""
        self._track(run_id).act("archive", again=True)

    def unarchive(self, run_id: str) -> None:
        """Restore the run to the lists."""
        self._track(run_id).act("unarchive", again=True)

    def delete(self, run_id: str) -> None:
        """Delete a finished run permanently. Raises ``BackendError`` for a running run."""
        tracked = self._track(run_id)
        check_finished(run_id, tracked.watch.run(0).state)
        tracked.delete()

    def experiments(self) -> builtins.list[Experiment]:
        """All experiments."""
        return self._experiments.all()

    def _track(self, run_id: str) -> TrackedRun:
        whole = run_id if _ID.fullmatch(run_id) else self._searched(run_id)
        if whole not in self._tracked:
            forget_finished(self._tracked)
            self._tracked[whole] = TrackedRun(
                self._server,
                whole,
                self._experiments.name,
                self._versions,
                self._insight,
                self._page,
                self._pace,
                SavedModels(self._registry) if self._registry else None,
            )
        return self._tracked[whole]

    def _page(self, run_id: str) -> str:
        """The address of a run's page; empty if it is unknown."""
        return f"{self.home}runs/details/{run_id}" if self.home else ""

    def _pace(self) -> Pace:
        """How often one run is requested: less often the more runs are observed, while nothing changes."""
        watched = sum(tracked.watch.watched for tracked in list(self._tracked.values()))
        return Pace(self.polling.shortest, self.polling.longest * max(1, watched))

    def _searched(self, start: str) -> str:
        found = [
            str(answer["run_id"])
            for answer in islice(pages(self._server, Selection(archived=True), "", _SEARCHED), _SEARCHED)
        ]
        begun = [one for one in found if start and one.startswith(start)]
        if len(begun) > 1:
            raise RunNotFound(
                f"{len(begun)} runs begin with {start}, as {begun[0]} does:",
                hint="give more characters of the id",
                ref=start,
            )
        if not begun:
            raise RunNotFound(
                f"no run id begins with {start} among the newest {_SEARCHED} at {self._server.url}",
                ref=start,
            )
        return begun[0]

    def _outline(self, answer: Json) -> entities.RunSnapshot:
        run_id, answer = str(answer.get("run_id", "")), self._versions.with_spec(answer)
        found = outline(
            answer, self._experiments.name(str(answer.get("experiment_id", ""))), self._page(run_id)
        )
        return replace(found, environment={**found.environment, **stage_of(self._origins.of(run_id))})
