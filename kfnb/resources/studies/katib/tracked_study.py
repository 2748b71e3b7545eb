"""One study on the cluster, looked at again and again."""

from __future__ import annotations

from dataclasses import replace

from kfnb.entities import RunState
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.studies import model
from kfnb.resources.studies.katib import resource_parser
from kfnb.resources.studies.katib.logs import Logs, TrialContainer, program_of
from kfnb.resources.studies.katib.resources import Resources
from kfnb.resources.studies.katib.trial_details import Details, Manager
from kfnb.resources.studies.katib.trials import TrialReader
from kfnb.resources.studies.model import Objective

_STUDY = -1
_CURVES = 0.5
"""Seconds in which one poll reads learning curves."""


class TrackedStudy:
    """A study on the cluster. The first poll reads all of its Trials, a later poll what has changed since."""

    def __init__(self, resources: Resources, name: str, manager: Manager | None) -> None:
        self.study = model.StudySnapshot(name, "kubeflow", Objective(""))
        self._resources, self._name = resources, name
        self._trials = TrialReader(resources, name)
        self._details = Details(Logs(resources.kubernetes, resources.namespace), manager)
        self._suggestion: Item | None = None
        self._program = TrialContainer()

    @property
    def over(self) -> bool:
        """Whether the study is finished."""
        return self.study.state.finished

    def refresh(self, curves: float = _CURVES) -> set[int]:
        """Poll once more; return the numbers of the trials that have changed, and -1 for the study itself.

        ``curves`` are the seconds in which learning curves are read. Raises ``StudyNotFound`` and ``BackendError``.
        """
        experiment = self._resources.experiment(self._name)
        head = resource_parser.study(experiment)
        if head.state in (RunState.PENDING, RunState.FAILED):
            self._suggestion = self._resources.suggestion(self._name)
            head = resource_parser.study(experiment, (), self._suggestion)
        if not self._over(head):
            self._trials.refresh()
        trials = self._trials.read(head.space)
        self._program = program_of(experiment)
        self._details.refresh(trials, head.objective.metric, self._program, curves)
        notes = (*head.notes, *([self._details.note] if self._details.note else []))
        before = self.study
        self.study = replace(head, trials=tuple(map(self._details.of, trials)), notes=notes)
        return _changed(before, self.study)

    def name_of(self, number: int) -> str | None:
        """Katib's name for a trial; None where there is none of that number."""
        found = self.study.trials[number : number + 1] if number >= 0 else ()
        return found[0].name if found else None

    @property
    def container(self) -> str:
        """The container that a trial is."""
        return self._program.container

    def _over(self, head: model.StudySnapshot) -> bool:
        """Whether nothing more will happen to the trials, as of the last poll; Katib ends none with its Experiment."""
        known = self.study
        seen = known.state.finished and known.finished == head.finished
        return seen and head.state.finished and all(one.state.finished for one in known.trials)


def _changed(before: model.StudySnapshot, after: model.StudySnapshot) -> set[int]:
    """The numbers of the trials that differ; of one that is gone, the study is what has changed."""
    old = dict(enumerate(before.trials))
    changed = {one.number for one in after.trials if old.pop(one.number, None) != one}
    if old or replace(before, trials=()) != replace(after, trials=()):
        changed.add(_STUDY)
    return changed
