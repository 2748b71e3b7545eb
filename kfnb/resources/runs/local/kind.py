"""Runs as jobs: their driver, and how their tasks end if it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kfnb.entities import Amounts, Purpose, RunSnapshot, RunState
from kfnb.jobs.eventlog import EventLog, Fact
from kfnb.jobs.fold import Event
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.handle import JobHandle, JobKind
from kfnb.jobs.recovery import Loss
from kfnb.resources.runs.events import fold
from kfnb.resources.runs.local.container import remove
from kfnb.resources.runs.local.folder import RunFolder
from kfnb.resources.runs.usage_data import amounts_data

_LOST = "process lost: the supervisor of the run exited unexpectedly"


def _lost(folder: JobFolder, events: Iterable[Event]) -> Iterator[Fact]:
    """How the tasks of a run end if its supervisor is lost; removes their containers."""
    run = fold(folder.id, events)
    for task in run.tasks:
        remove(RunFolder(folder.path).log(task.id).parent)
    return _last_words(run, _LOST)


KIND = JobKind("kfnb.resources.runs.local.driver", Loss("run", "retry continues the run", _lost))


def job(folder: RunFolder) -> JobHandle[RunFolder]:
    """The job of a run."""
    return JobHandle(KIND, folder, f"run {folder.id}")


def end(run_id: str, log: EventLog, error: str, task_error: str = _LOST) -> None:
    """Record that a run failed before its end, after all of its processes have ended."""
    run = fold(run_id, log.read())
    log.append([*_last_words(run, task_error), ("state", "", {"state": RunState.FAILED, "error": error})])


def _last_words(run: RunSnapshot, error: str) -> Iterator[Fact]:
    """How the tasks of a run end that is lost, and what it occupied: nothing was recorded of what ran then."""
    lost = sum(task.state is RunState.RUNNING and not task.group for task in run.tasks)
    if run.tasks:
        failed = run.occupied.get(Purpose.FAILED, Amounts()) + Amounts(unknown=lost)
        yield "usage", "", {"total": amounts_data({**run.occupied, Purpose.FAILED: failed})}
    for task in run.tasks:
        if task.state is RunState.RUNNING:
            yield "state", task.id, {"state": RunState.FAILED, "error": {"message": error}}
        elif not task.state.finished:
            yield "state", task.id, {"state": RunState.SKIPPED}
