"""The local engine of studies: Optuna searches, in a separate process for each study."""

from __future__ import annotations

import builtins
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from kfnb.entities import RunState
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError, StudyNotFound
from kfnb.jobs.folder import absolute, check
from kfnb.jobs.handle import open_home
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.local.logs import Tail
from kfnb.resources.runs.local.recorded import record_of_trials
from kfnb.resources.runs.local.spec_reader import examine, refuse
from kfnb.resources.studies import model
from kfnb.resources.studies.local import folder as folders
from kfnb.resources.studies.local import prepare, sampler
from kfnb.resources.studies.local.fold import described
from kfnb.resources.studies.local.folder import Order, StudyFolder
from kfnb.resources.studies.local.kind import job
from kfnb.resources.studies.local.observer import StudyObserver
from kfnb.resources.studies.search import Search

_TOO_LATE = (
    "trials that are runs of a pipeline report their metrics at their end, too late to stop early: leave"
    " --early-stopping out, or tune a cell (%%kf_tune) or a component"
)
_MOST_KNOWN = 16
"""Studies whose trials are kept, those that were asked for last: of another, all are read again."""


class LocalStudyEngine:
    """Studies here. ``home`` holds them beside runs; ``jobs``, ``secrets`` and ``linger`` are those of local runs."""

    name = "local"
    pace = Pace(0.06, 0.06)  # as for local runs

    def __init__(self, home: Path, *, jobs: int = 1, secrets: str = "", linger: float = 0) -> None:
        self._home = absolute(Path(home), "home")
        self._jobs, self._secrets, self._linger = jobs, secrets, linger
        self._known: dict[str, StudyObserver] = {}
        self._lock = threading.Lock()

    def start(self, search: Search) -> None:
        """Start a study at once. What cannot run here is refused, with all reasons and what could be done instead."""
        sampler.require_packages(search.algorithm)
        pipeline, problems = examine(search.subject.spec, search.subject.platform)
        refuse(pipeline, problems)
        reasons = [*sampler.refusals(search), *self._of_trials(search)]
        if reasons:
            raise BackendError(f"{search.name} cannot run here: " + "; ".join(reasons))
        open_home(self._home)
        folder, narrowed = folders.new(self._home, search.name)
        try:
            folder.write(search, self._order(search.max_trials))
        except BackendError:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        texts = filter(None, (*sampler.notes(search), narrowed))
        notes = [("note", "", {"text": text}) for text in texts]
        job(folder).start([("created", "", described(search, time.time())), *notes], create=True)

    def _of_trials(self, search: Search) -> builtins.list[str]:
        if search.subject.step:
            return prepare.refusals(search)
        if search.early_stopping:
            return [_TOO_LATE]
        return []

    def _order(self, trials: int | None) -> Order:
        return Order(str(self._home), self._jobs, self._secrets, self._linger, trials)

    def observe(self, name: str) -> StudyObserver:
        """Observe a study."""
        return StudyObserver(folders.find(self._home, name))

    def find(self, name: str) -> str:
        """The name of an existing study, also of one whose files are damaged. Raises ``StudyNotFound``."""
        return folders.find(self._home, name).name

    def get(self, name: str) -> model.StudySnapshot:
        """The study as it is now, with all of its trials. Raises ``StudyNotFound``."""
        with self._lock:
            observer = self._known.pop(name, None) or self.observe(name)
            try:
                observer.refresh()
            except StudyNotFound:  # of one that was known: another has its name now
                observer = self.observe(name)
                observer.refresh()
            self._known[name] = observer
            for old in list(self._known)[:-_MOST_KNOWN]:
                del self._known[old]
            return observer.study

    def list(self) -> builtins.list[model.StudySnapshot]:
        """The studies there are, the newest first. One whose files are damaged is FAILED, and says so."""
        return [self._outline(folder) for folder in folders.existing(self._home)]

    def _outline(self, folder: StudyFolder) -> model.StudySnapshot:
        try:
            observer = StudyObserver(folder)
            observer.refresh()
        except BackendError as error:
            return model.StudySnapshot(
                folder.name, self.name, model.Objective(""), state=RunState.FAILED, error=str(error)
            )
        return observer.study

    def recorded(self, name: str) -> RunRecord:
        """What was recorded of what the trials of a cell or a component ran on."""
        folder = folders.find(self._home, name)
        return record_of_trials(folder, [f"trial {one.number}" for one in self.get(name).trials])

    def stop(self, name: str) -> None:
        """End the study and its trials; harmless when it is finished."""
        job(folders.find(self._home, name)).stop()

    def resume(self, name: str, *, trials: int | None = None) -> None:
        """Continue a study that has ended, for ``trials`` more, or up to the number asked for at first."""
        folder = folders.find(self._home, name)
        check(folder.path)
        study = self.get(name)
        if not study.state.finished:
            raise BackendError(f"study {name} is {study.state}: stop it first, or wait for it")
        search, _ = folder.read()
        sampler.require_packages(search.algorithm)
        most = search.max_trials if trials is None else study.done + trials
        if most is not None and most <= study.done:
            raise BackendError(f"study {name} already ran {study.done} trials; pass trials=N to run more")
        folder.write(search, self._order(most))
        job(folder).start(
            [("limits", "", {"max_trials": most}), ("state", "", {"state": RunState.PENDING})],
        )

    def delete(self, name: str) -> None:
        """Forget a study that has ended, for good."""
        job(folders.find(self._home, name)).delete()

    def logs(self, name: str, trial: int) -> Iterator[str]:
        """The lines that a trial wrote. Raises ``BackendError`` where there is no such trial."""
        folder = folders.find(self._home, name)
        study = self.get(name)
        found = next((one for one in study.trials if one.number == trial), None)
        if found is None:
            raise BackendError(f"study {name} has no trial {trial}; it has {len(study.trials)}")
        if found.run:
            raise BackendError(f"trial {trial} was a run: %kf_logs {found.run} shows what its tasks wrote")
        return Tail(folder.trial(trial) / "log").lines(rest=True)
