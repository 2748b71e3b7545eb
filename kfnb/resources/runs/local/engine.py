"""The local engine of runs: runs KFP pipelines on this machine, each driven by its own process."""

from __future__ import annotations

import builtins
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from kfnb import entities
from kfnb.entities import Amounts, LogLine, Purpose, RunState
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError, did_you_mean
from kfnb.jobs.eventlog import Fact
from kfnb.jobs.fold import Event
from kfnb.jobs.folder import absolute
from kfnb.jobs.handle import POLL, RELEASE, open_home
from kfnb.jobs.polling import Pace
from kfnb.jobs.spawn import stand_by
from kfnb.resources.experiments.model import Experiment
from kfnb.resources.runs.engine import CACHED, Submission, check_finished
from kfnb.resources.runs.events import encode, fold
from kfnb.resources.runs.local import folder as folders
from kfnb.resources.runs.local.again import environment_for, submission_of
from kfnb.resources.runs.local.folder import RunFolder, RunJobSpec
from kfnb.resources.runs.local.kind import job
from kfnb.resources.runs.local.logs import LogReader
from kfnb.resources.runs.local.machine import cores, here
from kfnb.resources.runs.local.pod_resources import request_notes, unmet
from kfnb.resources.runs.local.recorded import ORIGIN, record_of
from kfnb.resources.runs.local.spec import PipelineSpec
from kfnb.resources.runs.local.spec_reader import examine, refuse
from kfnb.resources.runs.selection import DEFAULT_EXPERIMENT, LISTED, Selection
from kfnb.resources.runs.step_packages import FROM_STUDY, environment_of, of_study, stage_of
from kfnb.secret_store import Secrets

_STANDBY = "kfnb.resources.runs.local.standby"

_OVERLAP = 4
"""The maximum of tasks per core that run at once, if all but one of them wait."""


class LocalRunEngine:
    """Runs pipelines here. ``home`` holds runs, cache and environments.

    ``jobs`` tasks run at once; with 0 one per core, and more while they only wait (see ``resource_pool``).

    ``secrets`` is the folder or file that secrets and config maps are read from (see ``secret_store``).
    ``linger`` is how many seconds a run's process waits for the next run (see ``kfnb.jobs.prefork``).
    ``registry`` is the folder in which runs register the models that they save, for ``owner``; without it they do not.
    ``data_store`` has the data that they name.
    """

    name = "local"
    pace = Pace(0.06, 0.06)  # a poll is cheap, and a change is seen within a tenth of a second

    def __init__(
        self,
        home: Path,
        *,
        jobs: int = 0,
        secrets: str = "",
        linger: float = 0,
        registry: str = "",
        data_store: str = "",
        owner: str = "",
    ) -> None:
        self._home = absolute(Path(home), "home")
        self._jobs = jobs or cores()
        self._most = jobs or _OVERLAP * self._jobs
        self._linger = linger
        self._registry, self._data_store, self._owner = registry, data_store, owner
        self._secrets = str(absolute(Path(secrets), "secrets")) if secrets else ""

    def cautions(self, submission: Submission) -> Iterator[str]:
        """Nothing: steps have the environment of the submitting process."""
        del submission
        return iter(())

    def stand_by(self, modules: Iterable[str]) -> None:
        """Start a process for the first run, with ``modules`` imported, unless ``linger`` is 0."""
        if self._linger:
            stand_by(_STANDBY, self._home, self._linger, modules)

    def check(self, submission: Submission) -> PipelineSpec:
        """The pipeline of a submission. Raises ``BackendError`` with all reasons why it cannot run here."""
        pipeline, problems = examine(submission.spec, submission.platform)
        refuse(pipeline, [*problems, *unmet(pipeline, submission.arguments, Secrets(self._secrets))])
        return pipeline

    def prepare(self, submission: Submission) -> Path | None:
        """Make the environment of a submission's ``packages``, unless this one has them; its Python.

        Raises ``BackendError`` for a package that cannot be installed.
        """
        return environment_for(self.check(submission).programs, submission, self._home / "envs")

    def submit(self, submission: Submission) -> str:
        """Start a run and return its id at once. Raises ``BackendError`` with all reasons why it cannot run here."""
        pipeline = self.check(submission)
        open_home(self._home)
        folder, narrowed = folders.new(self._home)
        order = RunJobSpec(
            name=submission.name,
            arguments=encode(folder.take_over(submission.inputs, submission.arguments)),
            folder=str(Path(submission.folder).absolute()),
            home=str(self._home),
            cache=submission.cache,
            jobs=self._jobs,
            platform=submission.platform or {},
            secrets=self._secrets,
            linger=self._linger,
            most=self._most,
            registry=self._registry,
            data_store=self._data_store,
            owner=self._owner,
            packages=submission.packages,
            python=submission.python,
            budget=submission.budget.data() if submission.budget else {},
        )
        try:
            folder.write(submission.spec, order)
            folder.put(ORIGIN, submission.origin)
        except (OSError, TypeError, ValueError) as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise BackendError(f"cannot write the run to {folder.path}: {error}") from None
        origin = [FROM_STUDY + submission.study] if submission.study else []
        created = {
            "name": submission.name,
            "pipeline": pipeline.name,
            "backend": self.name,
            "experiment": submission.experiment,
            "arguments": {**pipeline.defaults, **order.arguments},
            "environment": {
                **here(),
                **environment_of(submission.spec),
                **of_study("".join(origin)),
                **stage_of(submission.origin),
            },
            **({"schedule": submission.schedule} if submission.schedule else {}),
            **({"owner": self._owner} if self._owner else {}),
        }
        texts = filter(None, (*origin, *submission.notes, *request_notes(pipeline, cores()), narrowed))
        notes: builtins.list[Fact] = [("note", "", {"text": text}) for text in texts]
        job(folder).start([("created", "", created), *notes], create=True, prefork_in=self._prefork_in)
        return folder.id

    def get(self, run_id: str) -> entities.RunSnapshot:
        """The current state of the run. Raises ``RunNotFound``."""
        folder = self._folder(run_id)
        with job(folder).reading() as log:
            return replace(fold(folder.id, log.read()), archived=folder.archived)

    def list(self, selection: Selection = LISTED, *, limit: int = 20) -> builtins.list[entities.RunSnapshot]:
        """The newest runs first, without their tasks. A run with damaged files is FAILED, with a note."""
        outlines = map(self._outline, folders.existing(self._home))
        found = builtins.list(islice(filter(selection.fits, outlines), limit))
        if not found and selection.experiment not in ("", *(one.name for one in self.experiments())):
            raise BackendError(f"unknown experiment {selection.experiment}")
        return found

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The run's events above ``after``; with ``follow``, as they arrive, until the run is finished."""
        yield from job(self._folder(run_id)).events(after, follow=follow)

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine | None]:
        """What the tasks wrote, in order; with ``follow``, as it arrives, until the run is finished. None means that
        there are no more lines at the moment.

        ``task`` is an id or a name. Raises ``BackendError`` for an unknown task (with ``follow``, at the end).
        """
        folder = self._folder(run_id)

        def included(task_id: str) -> bool:
            return _is_called(task_id, task)

        if task is not None and not follow and not any(map(included, self._began(run_id))):
            there = {id.rpartition("/")[2] for id in self._began(run_id)}
            hint = did_you_mean(task, there)
            raise BackendError(f"run {run_id} has no task {task}", code="unknown-task", hint=hint, ref=run_id)
        return chain(
            self._read(folder, LogReader(folder, included), follow=follow),
            self._of_cached(run_id, included) if task is not None else (),
        )

    def submitted(self, run_id: str) -> Submission:
        """What the run was made of: its spec as it was compiled, and its arguments."""
        return submission_of(self._folder(run_id))

    def recorded(self, run_id: str) -> RunRecord:
        """What was recorded of the notebook that started the run, and of what its tasks ran on."""
        return record_of(self._folder(run_id), self.get(run_id).tasks)

    def occupied(self, run_id: str) -> Mapping[Purpose, Amounts]:
        """What a run occupied of this machine until now."""
        return self.get(run_id).occupied

    def log_place(self, run_id: str, task: str | None = None) -> str:
        """The file of a task's log, or the folder with the files of all tasks."""
        folder = self._folder(run_id)
        found = [one for one in self._began(run_id) if _is_called(one, task)]
        return str(folder.log(found[0]) if task and len(found) == 1 else folder.path / "tasks")

    def _of_cached(self, run_id: str, included: Callable[[str], bool]) -> Iterator[LogLine]:
        cached = (task.id for task in self.get(run_id).tasks if task.cached)
        return (LogLine(task, CACHED) for task in cached if included(task))

    def _read(self, folder: RunFolder, logs: LogReader, *, follow: bool) -> Iterator[LogLine | None]:
        one = job(folder)
        with one.reading() as log:
            while True:
                one.recover(log)
                over = log.finished() or not follow
                yield from logs.new()
                if over:
                    yield from logs.rest(self._began(folder.id))
                    return
                yield None
                logs.wait(POLL)

    def _began(self, run_id: str) -> builtins.list[str]:
        """The ids of a run's tasks, in the order in which they began."""
        tasks = [item for item in self.get(run_id).tasks if not item.group]
        return [item.id for item in sorted(tasks, key=lambda item: item.started or float("inf"))]

    def stop(self, run_id: str) -> None:
        """Ask the run and all its processes to end; does nothing if it is finished."""
        job(self._folder(run_id)).stop()

    def retry(self, run_id: str) -> None:
        """Run again what did not succeed of a finished run. Raises ``BackendError`` for a running run."""
        folder = self._folder(run_id)
        state = self.get(run_id).state
        if state is RunState.SUCCEEDED:
            return
        check_finished(run_id, state)
        open_home(self._home)
        job(folder).start([("state", "", {"state": RunState.PENDING})], prefork_in=self._prefork_in)

    def archive(self, run_id: str) -> None:
        """Archive the run: only lists with archived runs show it."""
        self._folder(run_id).archive(away=True)

    def unarchive(self, run_id: str) -> None:
        """Restore the run to the lists."""
        self._folder(run_id).archive(away=False)

    def delete(self, run_id: str) -> None:
        """Remove a finished run with all of its files. Raises ``BackendError`` for a running run."""
        job(self._folder(run_id)).delete()

    def experiments(self) -> builtins.list[Experiment]:
        """The experiments of local runs, the one with the newest run first."""
        made: dict[str, builtins.list[float]] = {}
        for run in map(self._outline, folders.existing(self._home)):
            made.setdefault(run.experiment or DEFAULT_EXPERIMENT, []).append(run.created or 0.0)
        return [
            Experiment(name, name, created=min(times), last_run=max(times)) for name, times in made.items()
        ]

    def prune(self, keep: int) -> builtins.list[str]:
        """Remove all finished runs but the newest ``keep``, with all of their files; the ids of those removed.

        A damaged run counts as finished unless a process drives it. Raises ``BackendError`` if a run cannot be removed.
        """
        finished = [one for one in folders.existing(self._home) if self._outline(one).state.finished]
        return [folder.id for folder in finished[keep:] if folder.remove(timeout=RELEASE)]

    @property
    def _prefork_in(self) -> Path | None:
        """Where a process may wait for a run; None if it must not."""
        return self._home if self._linger else None

    def _folder(self, run_id: str) -> RunFolder:
        return folders.named(self._home, run_id)

    def _outline(self, folder: RunFolder) -> entities.RunSnapshot:
        try:
            with job(folder).reading() as log:
                run = fold(folder.id, log.read(tasks=False))
        except BackendError as error:
            run = entities.RunSnapshot(folder.id, "", "", self.name, RunState.FAILED, error=str(error))
        return replace(run, archived=folder.archived)


def _is_called(task_id: str, task: str | None) -> bool:
    """Whether ``task``, an id or a name, selects the task with that id; None selects all."""
    dashed = (task or "").lower().replace("_", "-")
    return task is None or task == task_id or task_id.rpartition("/")[2] in (task, dashed)
