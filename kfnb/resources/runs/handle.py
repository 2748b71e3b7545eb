"""The handle of a run: what ``kfnb.submit`` returns, whichever backend drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from kfnb import model
from kfnb.errors import RunFailed
from kfnb.extras import require
from kfnb.jobs.polling import poll
from kfnb.model import Artifact, ByTask, LogLine, RunState, Task
from kfnb.resources.runs.backend import Backend
from kfnb.resources.runs.events import Fold
from kfnb.resources.runs.iterations import joined
from kfnb.resources.runs.observer import Observer
from kfnb.resources.runs.output_files import Keeper, Kept, keep, written
from kfnb.text.logs import ALL, Excerpt, Filter, settled, wanted


class Run:
    """A run of a pipeline. Every property tells how things are at the moment it is asked.

    ``tasks``, ``outputs``, ``metrics`` and ``artifacts`` are by task name; for a task in a loop, outputs, metrics and
    artifacts are lists over the iterations, in order (of lists, in a loop within a loop).
    """

    def __init__(self, backend: Backend, run_id: str) -> None:
        self._backend = backend
        self.id = run_id
        self._keeper: Keeper | None = None

    def snapshot(self) -> model.Run:
        """The whole run as plain data, as it is now."""
        return self._backend.get(self.id)

    def observe(self) -> Observer:
        """Look at the run again and again, and be told what is new."""
        return Observer(self._backend, self.id)

    def watch(self) -> Iterator[model.Run]:
        """The run each time something has changed, until it is finished."""
        fold = Fold(self.id)
        for event in self._backend.events(self.id):
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
        return self._backend.name

    @property
    def state(self) -> RunState:
        """How the run stands."""
        return self.snapshot().state

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the pipeline was given, and the defaults of the rest."""
        return self.snapshot().arguments

    @property
    def result(self) -> Mapping[str, Any]:
        """The pipeline's own outputs, by name; empty until the run has succeeded."""
        return self.snapshot().result

    @property
    def tasks(self) -> ByTask[Task]:
        """The tasks; of one in a loop, the last iteration's."""
        now = self.snapshot()
        return ByTask({task.name: task for task in now.tasks if not task.group}, over=now.state.finished)

    @property
    def outputs(self) -> ByTask[Mapping[str, Any]]:
        """What each task put out: parameters as values, artifacts as ``Artifact``."""
        return self._joined("output", lambda task: task.outputs)

    @property
    def metrics(self) -> ByTask[Mapping[str, Any]]:
        """The metrics that each task logged."""
        return self._joined("metric", lambda task: task.metrics)

    @property
    def artifacts(self) -> ByTask[Mapping[str, Artifact]]:
        """The artifacts of each task."""
        return self._joined("artifact", lambda task: task.artifacts)

    def _joined(self, what: str, part: Callable[[Task], Mapping[str, Any]]) -> ByTask[Any]:
        now = self.snapshot()
        return joined(now.tasks, part, what, over=now.state.finished)

    @property
    def files(self) -> dict[str, Artifact]:
        """The files that the steps left, by their paths as the cells wrote them."""
        return written(self.snapshot())

    def keep_files(self, *patterns: str, folder: str | Path = ".", force: bool = False) -> Kept:
        """Copy those ``files`` that fit a pattern (``"plots/*.png"``; by default all) to their paths in ``folder``.

        A file there that differs is overwritten only with ``force``; what was left is told. Raises ``UsageError``.
        """
        return keep(self.files, patterns, Path(folder), force=force)

    def keep_when_finished(
        self, *patterns: str, folder: str | Path = ".", tell: Callable[[str], None] = print
    ) -> None:
        """Do so when the run is finished, however it ends, as long as this process lives; ``tell`` is told of it."""
        self._keeper = Keeper(self, patterns, Path(folder), tell)
        self._keeper.start()

    def finish_keeping(self) -> None:
        """Copy the files that ``keep_when_finished`` was asked for, now that the run is finished."""
        if self._keeper is not None:
            self._keeper.finish()

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until the run is finished, for ``timeout`` seconds at most.

        Raises ``RunFailed`` unless it succeeded, and ``TimeoutError``; the run goes on then, and when this is
        interrupted. A backend that does not answer for a while is asked again.
        """
        observed = self.observe()
        try:
            for _ in poll(observed, observed.pace, timeout):
                pass
        except KeyboardInterrupt:
            said = (
                f"run {self.id} is still running; reattach with kfnb.run({self.id!r}), stop it with .stop()"
            )
            raise KeyboardInterrupt(said) from None
        now = observed.run
        if not observed.over:
            raise TimeoutError(f"run {self.id} is still {now.state} after {timeout} s; it goes on")
        self.finish_keeping()
        if now.state is not RunState.SUCCEEDED:
            raise RunFailed(f"run {now.id} of {now.pipeline}: {now.error or now.state}", ref=now.id)
        return self

    def logs(
        self,
        task: str | None = None,
        *,
        tail: int | None = None,
        since: str | float | None = None,
        grep: str | None = None,
        level: str | None = None,
    ) -> str:
        """What a task wrote, or all tasks, each line then after its task's name.

        With ``tail``, so many of the last lines; ``since`` a moment or a span before now (``"10m"``); those in which
        the regular expression ``grep`` is found; of a ``level`` at least (``"warning"``).
        """
        lines = self.excerpt(task, wanted(since, grep, level), tail)
        return "\n".join(line.text if task else f"{line.task}  {line.text}" for line in lines)

    def excerpt(
        self, task: str | None = None, which: Filter = ALL, tail: int | None = None, *, follow: bool = False
    ) -> Excerpt:
        """The lines that are wanted of what a task, or all of them, wrote; with ``follow``, also as they come."""
        return Excerpt(self._backend.logs(self.id, task, follow=follow), which, tail)

    def log_place(self, task: str | None = None) -> str:
        """Where the whole log of a task, or of all, is kept; empty if that is not known."""
        return self._backend.log_place(self.id, task)

    def follow_log(self, task: str) -> Iterator[LogLine | None]:
        """The lines that a task writes, until the run is finished; None says that there is no more at the moment."""
        return settled(self._backend.logs(self.id, task, follow=True))

    def stop(self) -> None:
        """End the run and all its processes."""
        self._backend.stop(self.id)

    def retry(self) -> Run:
        """Run again what did not succeed."""
        self._backend.retry(self.id)
        return self

    def archive(self) -> None:
        """Put the run away: ``%kf_runs`` shows it with ``--archived`` alone."""
        self._backend.archive(self.id)

    def unarchive(self) -> None:
        """Put the run back into the lists."""
        self._backend.unarchive(self.id)

    def delete(self) -> None:
        """Forget the run and what it has made, for good. Raises ``BackendError`` where it still runs."""
        self._backend.delete(self.id)

    def to_frame(self) -> Any:
        """The tasks as a pandas DataFrame, a row each."""
        require("pandas", "to_frame")
        import pandas as pd

        rows = [
            {
                "task": task.id,
                "state": str(task.state),
                "seconds": task.seconds,
                "cached": task.cached,
                **{f"input.{name}": value for name, value in task.inputs.items()},
                **{f"output.{name}": value for name, value in task.outputs.items()},
                **{f"metric.{name}": value for name, value in task.metrics.items()},
            }
            for task in self.snapshot().tasks
            if not task.group
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        now = self.snapshot()
        return f"<Run {now.id} of {now.pipeline}: {now.state}>"


class RunList(Sequence[model.Run]):
    """Runs, the newest first, as they were when asked for; ``ask`` gives them as they are now."""

    def __init__(self, ask: Callable[[], Sequence[model.Run]]) -> None:
        self._ask = ask
        self._runs = list(ask())

    def refresh(self) -> RunList:
        """The same question, answered now."""
        return RunList(self._ask)

    @overload
    def __getitem__(self, index: int) -> model.Run: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[model.Run]: ...
    def __getitem__(self, index: int | slice) -> model.Run | Sequence[model.Run]:
        return self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def to_frame(self) -> Any:
        """The runs as a pandas DataFrame, a row each."""
        require("pandas", "to_frame")
        import pandas as pd

        rows = [
            {
                "id": run.id,
                "pipeline": run.pipeline,
                "name": run.name,
                "state": str(run.state),
                "created": None if run.created is None else pd.Timestamp(run.created, unit="s"),
                "seconds": run.seconds,
                **{f"argument.{name}": value for name, value in run.arguments.items()},
                **{f"metric.{name}": value for name, value in run.metrics.items()},
            }
            for run in self._runs
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return "\n".join(f"{run.id}  {run.pipeline}  {run.state}" for run in self._runs) or "no runs yet"
