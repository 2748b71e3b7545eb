"""The handle of a run: what ``kfnb.submit`` returns, whichever engine drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, overload

from kfnb import entities
from kfnb.aliases import accepts
from kfnb.entities import Amounts, Artifact, ByTask, LogLine, Purpose, RunState, Task
from kfnb.entities.manifest import Manifest, RunRecord
from kfnb.errors import RunFailed, UsageError, interrupted
from kfnb.jobs.polling import poll
from kfnb.prices.current import current
from kfnb.prices.rates import Cost
from kfnb.resources.runs.engine import RunEngine, Submission
from kfnb.resources.runs.events import RunFold
from kfnb.resources.runs.frames import frame_of_runs, frame_of_tasks
from kfnb.resources.runs.iterations import joined
from kfnb.resources.runs.observer import Observer
from kfnb.resources.runs.output_files import CopiedFiles, FileCopier, copy_files, written
from kfnb.text.logs import ALL, Excerpt, Filter, log_filter, settled


class Run:
    """A run of a pipeline. Every property reads the current state.

    ``tasks``, ``outputs``, ``metrics`` and ``artifacts`` are by task name; for a task in a loop, outputs, metrics and
    artifacts are lists over the iterations, in order (nested lists in nested loops).
    """

    def __init__(self, engine: RunEngine, run_id: str) -> None:
        self._engine = engine
        self.id = run_id
        self._copier: FileCopier | None = None

    def snapshot(self) -> entities.RunSnapshot:
        """The current state of the run as plain data."""
        return self._engine.get(self.id)

    def observe(self) -> Observer:
        """An observer that polls the run."""
        return Observer(self._engine, self.id)

    def watch(self) -> Iterator[entities.RunSnapshot]:
        """The run after each change, until it is finished."""
        fold = RunFold(self.id)
        for event in self._engine.events(self.id):
            fold.add(event)
            yield fold.run

    @property
    def name(self) -> str:
        """The run's name."""
        return self.snapshot().name

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.snapshot().pipeline

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self._engine.name

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self.snapshot().state

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the pipeline, including defaults."""
        return self.snapshot().arguments

    @property
    def result(self) -> Mapping[str, Any]:
        """The pipeline's own outputs, by name; empty until the run has succeeded."""
        return self.snapshot().result

    @property
    def tasks(self) -> ByTask[Task]:
        """The tasks; of a task in a loop, the last iteration."""
        now = self.snapshot()
        return ByTask({task.name: task for task in now.tasks if not task.group}, over=now.state.finished)

    @property
    def outputs(self) -> ByTask[Mapping[str, Any]]:
        """The outputs of each task: parameters as values, artifacts as ``Artifact``."""
        return self._joined("output", lambda task: task.outputs)

    @property
    def metrics(self) -> ByTask[Mapping[str, Any]]:
        """The metrics that each task logged."""
        return self._joined("metric", lambda task: task.metrics)

    @property
    def artifacts(self) -> ByTask[Mapping[str, Artifact]]:
        """The artifacts of each task."""
        return self._joined("artifact", lambda task: task.artifacts)

    def submitted(self) -> Submission:
        """What the run was made of: its spec as it was compiled, and its arguments."""
        return self._engine.submitted(self.id)

    def recorded(self) -> RunRecord:
        """What the engine has recorded of the notebook that started the run, and of what its tasks ran on."""
        return self._engine.recorded(self.id)

    @property
    def manifest(self) -> Manifest:
        """What the run was made with, and where, in ten layers: see ``kfnb.manifest``."""
        found: Manifest = resolve_name("kfnb:manifest")(
            self
        )  # by its public name, since provenance reads runs
        return found

    def _joined(self, what: str, part: Callable[[Task], Mapping[str, Any]]) -> ByTask[Any]:
        now = self.snapshot()
        return joined(now.tasks, part, what, over=now.state.finished)

    @property
    def files(self) -> dict[str, Artifact]:
        """The files that the steps wrote, by the paths that the cells used."""
        return written(self.snapshot())

    def keep_files(self, *patterns: str, folder: str | Path = ".", force: bool = False) -> CopiedFiles:
        """Copy those ``files`` that match a pattern (``"plots/*.png"``; by default all) to their paths in ``folder``.

        An existing file that differs is only overwritten with ``force``; the result lists it. Raises ``UsageError``.
        """
        return copy_files(self.files, patterns, Path(folder), force=force)

    @accepts(tell="notify")
    def keep_when_finished(
        self, *patterns: str, folder: str | Path = ".", notify: Callable[[str], None] = print
    ) -> None:
        """Copy files when the run is finished, however it ends, while this process lives; ``notify`` gets messages."""
        self._copier = FileCopier(self, patterns, Path(folder), notify)
        self._copier.start()

    def finish_copying(self) -> None:
        """Copy the files of ``keep_when_finished`` now that the run is finished."""
        if self._copier is not None:
            self._copier.finish()

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until the run is finished, for ``timeout`` seconds at most.

        Raises ``RunFailed`` unless it succeeded, and ``TimeoutError``; the run continues then, and when this is
        interrupted. A backend that does not answer is asked again.
        """
        observed = self.observe()
        try:
            for _ in poll(observed, observed.pace, timeout):
                pass
        except KeyboardInterrupt:
            message = (
                f"run {self.id} is still running; reattach with kfnb.run({self.id!r}), stop it with .stop()"
            )
            raise interrupted(message) from None
        now = observed.run
        if not observed.over:
            raise TimeoutError(f"run {self.id} is still {now.state} after {timeout} s")
        self.finish_copying()
        if now.state is not RunState.SUCCEEDED:
            raise RunFailed(f"run {now.id} of {now.pipeline}: {now.error or now.state}", ref=now.id)
        return self

    @property
    def cost(self) -> Cost:
        """An estimate of what it costs until now, by the prices of the settings. Raises ``UsageError``."""
        return current().cost(self.occupied)

    @property
    def occupied(self) -> Mapping[Purpose, Amounts]:
        """What it occupied of machines until now: core hours, GiB hours, GPU hours, by what came of them."""
        return self._engine.occupied(self.id)

    def logs(
        self,
        task: str | None = None,
        *,
        tail: int | None = None,
        since: str | float | None = None,
        grep: str | None = None,
        level: str | None = None,
        rank: int | None = None,
    ) -> str:
        """What a task wrote, or all tasks, with each line after its task's name.

        ``tail`` limits it to the last lines; ``since`` is a moment or a span before now (``"10m"``); ``grep`` is a
        regular expression that lines contain; ``level`` the lowest level (``"warning"``); ``rank`` selects a process of
        a training.
        """
        lines = self.excerpt(task, log_filter(since, grep, level, rank), tail)
        return "\n".join(line.text if task else f"{line.task}  {line.text}" for line in lines)

    def excerpt(
        self, task: str | None = None, which: Filter = ALL, tail: int | None = None, *, follow: bool = False
    ) -> Excerpt:
        """The selected lines of a task, or of all tasks; with ``follow``, also as they arrive.

        Raises ``UsageError`` for a rank that no training of the run has.
        """
        if which.rank is not None:
            self._check_rank(which.rank)
        return Excerpt(self._engine.logs(self.id, task, follow=follow), which, tail)

    def _check_rank(self, number: int) -> None:
        known = {rank.number for task in self.snapshot().tasks for rank in task.ranks}
        if known and number not in known:
            hint = f"its ranks are {min(known)} to {max(known)}"
            raise UsageError(f"unknown rank {number} of run {self.id}", hint=hint, ref=self.id)

    def log_place(self, task: str | None = None) -> str:
        """Where the complete log of a task, or of all tasks, is stored; empty if that is unknown."""
        return self._engine.log_place(self.id, task)

    def follow_log(self, task: str) -> Iterator[LogLine | None]:
        """The lines that a task writes, until the run is finished; None means no more lines at the moment."""
        return settled(self._engine.logs(self.id, task, follow=True))

    def stop(self) -> None:
        """End the run and all its processes."""
        self._engine.stop(self.id)

    def retry(self) -> Run:
        """Run again what did not succeed."""
        self._engine.retry(self.id)
        return self

    def archive(self) -> None:
        """Archive the run: ``%kf_runs`` only shows it with ``--archived``."""
        self._engine.archive(self.id)

    def unarchive(self) -> None:
        """Restore the run to the lists."""
        self._engine.unarchive(self.id)

    def delete(self) -> None:
        """Delete the run and its files permanently. Raises ``BackendError`` if it is running."""
        self._engine.delete(self.id)

    def to_frame(self) -> Any:
        """The tasks as a pandas DataFrame, a row each."""
        return frame_of_tasks(self.snapshot())

    def __repr__(self) -> str:
        now = self.snapshot()
        return f"<Run {now.id} of {now.pipeline}: {now.state}>"


class RunList(Sequence[entities.RunSnapshot]):
    """Runs, the newest first, as of their creation; ``fetch`` returns the current list."""

    def __init__(self, fetch: Callable[[], Sequence[entities.RunSnapshot]]) -> None:
        self._fetch = fetch
        self._runs = list(fetch())

    def refresh(self) -> RunList:
        """The current list with the same selection."""
        return RunList(self._fetch)

    @overload
    def __getitem__(self, index: int) -> entities.RunSnapshot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[entities.RunSnapshot]: ...
    def __getitem__(self, index: int | slice) -> entities.RunSnapshot | Sequence[entities.RunSnapshot]:
        return self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def to_frame(self) -> Any:
        """The runs as a pandas DataFrame, a row each."""
        return frame_of_runs(self._runs)

    def __repr__(self) -> str:
        return "\n".join(f"{run.id}  {run.pipeline}  {run.state}" for run in self._runs) or "no runs yet"
