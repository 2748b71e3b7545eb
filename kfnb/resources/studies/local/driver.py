"""The process that drives one study: ``python -m kfnb.resources.studies.local.driver FOLDER LOCK``.

It outlives the kernel that started it, and alone talks to Optuna. ``LOCK`` is the study's lock as an open file, which
it holds until it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

from kfnb.entities import RunState
from kfnb.jobs.driver import drive
from kfnb.jobs.eventlog import EventLog
from kfnb.jobs.folder import check
from kfnb.jobs.processes import Processes
from kfnb.jobs.spawn import leave_folder
from kfnb.prices.budget import Budget
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.studies.local.fold import StudyFold
from kfnb.resources.studies.local.folder import Order, StudyFolder
from kfnb.resources.studies.local.journal import StudyJournal
from kfnb.resources.studies.local.outcome import KILLED
from kfnb.resources.studies.local.pipeline_trials import Runs
from kfnb.resources.studies.local.prepare import folder_of_steps, prepare
from kfnb.resources.studies.local.search_loop import SearchLoop, TrialRunner
from kfnb.resources.studies.local.spent import Spent
from kfnb.resources.studies.local.study_end import End, fruitless
from kfnb.resources.studies.local.suggester import Suggester
from kfnb.resources.studies.local.workers import Workers
from kfnb.resources.studies.search import Search


def main(folder: StudyFolder, lock: int) -> None:
    """Drive the study in ``folder`` to its end."""

    async def work(log: EventLog, processes: Processes) -> None:
        check(folder.path)
        search, order = folder.read()
        _close(folder, log, await _drive(folder, search, order, log, processes))

    def broken(log: EventLog, error: str) -> None:
        _close(folder, log, End(state=RunState.FAILED, error=error))

    drive(folder, lock, work, broken)


async def _drive(
    folder: StudyFolder, search: Search, order: Order, log: EventLog, processes: Processes
) -> End:
    processes.listen()
    loop, journal = asyncio.get_running_loop(), StudyJournal(log)
    fold = StudyFold(folder.name)
    fold.take(log.read())
    past = {trial.number: trial for trial in fold.study.trials}
    end = End()
    loop.add_signal_handler(signal.SIGTERM, partial(end.now, RunState.CANCELED))
    if folder.stopping:
        end.now(RunState.CANCELED)
    if search.timeout:
        loop.call_later(search.timeout, partial(end.now, RunState.SUCCEEDED, "the time is up"))
    os.environ["KFNB_OBJECTIVE"] = search.objective.metric.rpartition(".")[2]
    engine = _run_engine(folder.home, search, order)
    spent = Spent(Budget.of(search.budget), past.values())
    trials: TrialRunner = Runs(search, engine, journal.run, spent.left)
    try:
        if search.subject.step:
            prepared = await end.unless(prepare(search, folder, engine))
            if prepared is not None:
                prepared.preload()
                trials = Workers(search, folder, prepared, processes, folder_of_steps(search, folder))
        if not end.requested.is_set():
            suggester = Suggester(search, folder, past)
            await SearchLoop(search, order.trials, journal, suggester, trials, end, past, spent).run()
    finally:
        if end.state is RunState.CANCELED:
            journal.state(RunState.CANCELING)
        await trials.close()
        await processes.end()
    return end


def _run_engine(home: Path, search: Search, order: Order) -> LocalRunEngine:
    """The engine of runs; the trials that run at once share what may run at once."""
    jobs = order.jobs if search.subject.step else max(1, order.jobs // max(1, search.parallel))
    return LocalRunEngine(home, jobs=jobs, secrets=order.secrets, linger=order.linger)


def _close(folder: StudyFolder, log: EventLog, end: End) -> None:
    """Record that nothing runs any more, and how the study ended."""
    journal, fold = StudyJournal(log), StudyFold(folder.name)
    fold.take(log.read())
    for trial in fold.study.trials:
        if not trial.state.finished:
            journal.ended(trial.number, KILLED)
    state, error = end.state or RunState.SUCCEEDED, end.error
    if state is RunState.SUCCEEDED and fold.study.best is None:
        state, error = RunState.FAILED, fruitless(fold.study, end.reason)
    journal.state(state, error=error, reason=end.reason)


if __name__ == "__main__":
    leave_folder()
    main(StudyFolder(Path(sys.argv[1])), int(sys.argv[2]))
