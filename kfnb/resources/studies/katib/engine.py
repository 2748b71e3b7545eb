"""Katib as an engine of studies: every Experiment is a study, whatever created it."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kfnb.entities import RunState
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError
from kfnb.jobs.polling import Pace
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.experiments import RESUMABLE, STOPPED
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.studies import model
from kfnb.resources.studies.katib import experiment, resource_parser
from kfnb.resources.studies.katib.algorithms import INSTEAD
from kfnb.resources.studies.katib.logs import Logs
from kfnb.resources.studies.katib.resources import Resources
from kfnb.resources.studies.katib.tracked_study import TrackedStudy
from kfnb.resources.studies.katib.trial_details import Manager
from kfnb.resources.studies.search import Search

_MOST = "maxTrialCount"
_CURVES = 5.0
"""Seconds in which a study that is asked for as a whole reads learning curves."""


@dataclass(frozen=True)
class Draft:
    """A study that was not begun: its Experiment as YAML, and what the cluster says to it."""

    text: str
    answer: str
    accepted: bool


class KatibStudyEngine:
    """The studies of a namespace. ``manager`` reaches Katib's DB manager, where there is a way.

    The engine keeps nothing but what it learned of studies that it observes.
    """

    name = "kubeflow"
    pace = Pace(2.0, 15.0)

    def __init__(
        self,
        kubernetes: Kubernetes,
        namespace: str,
        manager: Manager | None = None,
    ) -> None:
        self._resources = Resources(kubernetes, namespace)
        self._logs = Logs(kubernetes, namespace)
        self._manager = manager

    def start(self, search: Search) -> None:
        """Make the Experiment that a search is. Raises ``BackendError``."""
        self._resources.create(experiment.experiment(search, self._resources.namespace))

    def draft(self, search: Search) -> Draft:
        """The Experiment that ``start`` would make, and whether the cluster would take it; nothing is begun.

        Raises ``BackendError`` for what Katib cannot do.
        """
        written = experiment.experiment(search, self._resources.namespace)
        text = experiment.text(written)
        try:
            self._resources.create(written, dry_run=True)
        except BackendError as error:
            return Draft(text, str(error), accepted=False)
        answer = f"namespace {self._resources.namespace} would take it"
        other = experiment.ALGORITHM in written["metadata"]["annotations"]
        return Draft(text, f"{answer}; {INSTEAD}" if other else answer, accepted=True)

    def observe(self, name: str) -> TrackedStudy:
        """Observe a study."""
        return TrackedStudy(self._resources, experiment.known_as(name), self._manager)

    def find(self, name: str) -> str:
        """The name of an existing Experiment. Raises ``StudyNotFound``."""
        found: str = self._resources.experiment(experiment.known_as(name))["metadata"]["name"]
        return found

    def get(self, name: str) -> model.StudySnapshot:
        """The study as it is now, with all of its trials. Raises ``StudyNotFound``."""
        return self._polled(name, _CURVES).study

    def list(self) -> builtins.list[model.StudySnapshot]:
        """The studies of the namespace, the newest first, without their trials."""
        found = map(resource_parser.study, self._resources.experiments())
        return sorted(found, key=lambda study: study.created or 0.0, reverse=True)

    def recorded(self, name: str) -> RunRecord:  # noqa: ARG002 - see StudyEngine
        """Nothing: trials on a cluster record nothing."""
        return RunRecord(notes=("what the pods of its trials ran on is not recorded",))

    def stop(self, name: str) -> None:
        """Let the study come to its end: running trials continue, and at most one more begins.

        Katib knows no other way that keeps the results; deleting the study ends its trials at once.
        """
        name = experiment.known_as(name)
        item = self._resources.experiment(name)
        if resource_parser.study(item).state in _ENDING:
            return
        limits, last = _limits(item), _begun(item) + 1
        lowered = {limit: last for limit, most in limits.items() if most is None or most > last}
        before = json.dumps({limit: limits[limit] for limit in lowered})
        self._resources.change(name, {"metadata": _stopped(before), "spec": lowered})

    def resume(self, name: str, *, trials: int | None = None) -> None:
        """Continue a study that has run all of its trials, for ``trials`` more.

        Raises ``BackendError`` where Katib cannot continue it.
        """
        name = experiment.known_as(name)
        item = self._resources.experiment(name)
        if why := _never(item):
            message = f"Katib cannot resume {name}: {why}."
            raise BackendError(message, hint="Start another study instead", ref=name)
        begun, limits = _begun(item), {**_limits(item), **_before(item)}
        most = begun + trials if trials is not None else limits[_MOST]
        if most is None or most <= begun:
            hint = "pass --trials N to run more"
            raise BackendError(f"{name} already ran {begun} trials:", hint=hint, ref=name)
        spec = {limit: min(most, value) for limit, value in limits.items() if value is not None}
        self._resources.change(name, {"metadata": _stopped(None), "spec": {**spec, _MOST: most}})

    def delete(self, name: str) -> None:
        """Delete the Experiment with its trials. A running Experiment that was not stopped is refused."""
        name = experiment.known_as(name)
        state = resource_parser.study(self._resources.experiment(name)).state
        if state in (RunState.PENDING, RunState.RUNNING):
            message = f"{name} is {state.lower()}:"
            raise BackendError(message, code="still-running", hint="stop it first", ref=name)
        self._resources.delete(name)

    def logs(self, name: str, trial: int) -> Iterator[str]:
        """The lines that a trial wrote until now. Raises ``BackendError`` where they are not kept."""
        tracked = self._polled(name, 0.0)
        found = tracked.name_of(trial)
        if found is None:
            raise BackendError(
                f"{name} has no trial {trial}: it has {len(tracked.study.trials)}, counted from 0"
            )
        return self._logs.lines(found, tracked.container)

    def _polled(self, name: str, curves: float) -> TrackedStudy:
        observed = self.observe(name)
        observed.refresh(curves)
        return observed


_ENDING = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED, RunState.CANCELING)


def _begun(item: Item) -> int:
    """How many trials an Experiment has begun."""
    return int((item.get("status") or {}).get("trials") or 0)


def _limits(item: Item) -> dict[str, int | None]:
    """The limits of an Experiment that can be changed; Katib takes none that is above that of its trials."""
    spec = item["spec"]
    others = ("parallelTrialCount", "maxFailedTrialCount")
    return {_MOST: spec.get(_MOST), **{limit: spec[limit] for limit in others if limit in spec}}


def _before(item: Item) -> dict[str, int | None]:
    """Those of its limits that were lowered to stop it, with their former values."""
    with suppress(ValueError, TypeError, KeyError):
        return dict(json.loads((item["metadata"].get("annotations") or {})[STOPPED]))
    return {}


def _stopped(before: str | None) -> dict[str, Any]:
    """What marks an Experiment as stopped, with the limits that it had ``before``; None takes the mark away."""
    return {"annotations": {STOPPED: before}}


def _never(item: Item) -> str:
    """Why Katib cannot resume an Experiment; empty where it can."""
    study = resource_parser.study(item)
    policy = item["spec"].get("resumePolicy") or "Never"
    if not study.state.finished:
        return "" if study.state is RunState.CANCELING else "it has not ended"
    if study.state is RunState.FAILED:
        return "it has failed"
    if not resource_parser.had_all(item):
        return f"it has ended ({study.reason or 'for another reason'}) before all of its trials were done"
    return "" if policy in RESUMABLE else f"its resumePolicy is {policy}"
