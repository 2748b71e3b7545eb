"""The engine of monitors on a cluster: recurring runs, and what their pods keep in the object store."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from kfnb.entities import RunSnapshot, RunState
from kfnb.errors import BackendError, KfnbError, NotFound, did_you_mean
from kfnb.jobs.polling import Pace
from kfnb.pipeline.spec import Compiled, check_arguments
from kfnb.remote.objects.errors import ObjectMissing
from kfnb.resources.monitors.engine import MonitorPlan
from kfnb.resources.monitors.hysteresis import overall
from kfnb.resources.monitors.kubeflow.kit import kit_of
from kfnb.resources.monitors.kubeflow.pipeline import MonitorPods, PlaceOfPods, monitor_pipeline
from kfnb.resources.monitors.kubeflow.place import MonitorPlace
from kfnb.resources.monitors.kubeflow.record import MonitorRecord
from kfnb.resources.monitors.kubeflow.refusals import refuse
from kfnb.resources.monitors.lateness import unchecked
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report
from kfnb.resources.monitors.panes import together
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.snapshot import MonitorSnapshot, WindowProfiles
from kfnb.resources.monitors.stored import reference_of, spec_of
from kfnb.resources.runs.engine import Submission
from kfnb.resources.schedules.engine import ScheduleEngine
from kfnb.resources.schedules.model import Recurrence, ScheduleSnapshot
from kfnb.resources.services.kserve.request_log import LogFolder

PREFIX = "kfnb-monitor-"
"""The names of the recurring runs begin with it."""
FOLDER = "kfnb-monitors"
"""The folder of monitors in the root of artifacts."""
_MOST_REPORTS = 200
_WITHIN = 1800.0
"""Seconds that a check by hand may take: two pods are started, and install packages."""
_STARTS_WITHIN = 600.0
"""Seconds that the pods of a check take to be started."""


class MonitorCluster(Protocol):
    """Where monitors on a cluster are: its store, and what is known of services and of models there."""

    def place(self, name: str) -> tuple[MonitorPlace, PlaceOfPods]:
        """A monitor's place, as it is reached from here and from pods."""
        ...

    def pods(self) -> MonitorPods:
        """What pods run as."""
        ...

    def log(self, service: str) -> LogFolder:
        """Where KServe's logger puts the requests of a service. Raises ``UsageError`` if it does not."""
        ...

    def model(self, service: str) -> tuple[Path, str]:
        """The folder of the version that is served, and what its service does with bad inputs."""
        ...

    def served(self, service: str) -> str:
        """The version that is served now (``churn@7``)."""
        ...

    def retraining(self, compiled: Compiled) -> Mapping[str, Any]:
        """A pipeline's spec with the addresses of the newest versions of its data."""
        ...


class KubeflowMonitorEngine:
    """Monitors of services on a cluster. ``run`` returns a run by its id, ``schedules`` are the cluster's.

    ``close`` closes what leads to the store.
    """

    name = "kubeflow"
    pace = Pace(5.0, 60.0)

    def __init__(
        self,
        schedules: ScheduleEngine,
        run: Callable[[str], RunSnapshot],
        cluster: MonitorCluster,
        *,
        experiment: str = "",
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._schedules, self._run, self._cluster, self._experiment = schedules, run, cluster, experiment
        self.close = close

    def refuse(self, spec: MonitorSpec) -> None:
        """Raise ``UsageError`` for what pods cannot do."""
        refuse(spec)
        self._cluster.log(spec.service)

    def create(self, plan: MonitorPlan) -> None:
        """Make a monitor, or change one."""
        spec = plan.spec
        refuse(spec)
        before = self._schedule(spec.name)
        place, seen_by_pods = self._cluster.place(spec.name)
        kit, content = kit_of(plan, *self._known_of(spec.service))
        place.store.write(f"{place.path}/{kit}", content)
        pipeline = monitor_pipeline(
            spec.name, seen_by_pods, kit, self._cluster.pods(), self._retraining(plan.pipelines)
        )
        if before is not None:
            self._schedules.delete(before.id)
        submission = Submission(
            pipeline.spec, {}, PREFIX + spec.name, self._experiment, pipeline.platform, cache=False
        )
        rhythm = Recurrence(every=round(spec.every), catch_up=False, max_concurrency=1)
        self._schedules.create(submission, rhythm)
        place.describe({"spec": asdict(spec), "reference": asdict(plan.reference)})

    def get(self, name: str) -> MonitorSnapshot:
        """The monitor now."""
        now = self._snapshot(self._known(name), _MOST_REPORTS)
        place, _ = self._cluster.place(name)
        reference = _reference(place, name)
        return replace(
            now,
            profiles=_profiles(reference, place.record()),
            notes=(*now.notes, *self._of_another(now.spec, reference)),
        )

    def reports(self, name: str) -> builtins.list[Report]:
        """The newest reports, whole."""
        self._known(name)
        return self._cluster.place(name)[0].reports(_MOST_REPORTS)

    def list(self) -> builtins.list[MonitorSnapshot]:
        """The monitors there are."""
        found = sorted(self._all(), key=lambda one: one.name)
        return [self._snapshot(one, 1) for one in found]

    def check(self, name: str) -> Report:
        """Check now: start a run, and wait for it."""
        schedule = self._known(name)
        run_id = self._schedules.run(schedule.id)
        end, pause = time.monotonic() + _WITHIN, self.pace.shortest
        while not (run := self._run(run_id)).state.finished:
            if time.monotonic() > end:
                raise BackendError(f"the check is still running, as run {run_id}", ref=run_id)
            time.sleep(pause)
        if run.state is not RunState.SUCCEEDED:
            message = f"the check of monitor {name} {str(run.state).lower()}, run {run_id}:"
            raise BackendError(message, hint=f"%kf_runs show {run_id}", ref=run_id)
        return self._cluster.place(name)[0].reports(1)[-1]

    def pause(self, name: str) -> None:
        """Pause the checks."""
        self._schedules.pause(self._known(name).id)

    def resume(self, name: str) -> None:
        """Resume the checks."""
        self._schedules.resume(self._known(name).id)

    def delete(self, name: str) -> None:
        """End the checks, and forget what was found."""
        self._schedules.delete(self._known(name).id)
        self._cluster.place(name)[0].remove()

    # -- making

    def _known_of(self, service: str) -> tuple[Path, LogFolder, str]:
        folder, on_bad_input = self._cluster.model(service)
        return folder, self._cluster.log(service), on_bad_input

    def _retraining(self, pipelines: Mapping[str, Compiled]) -> Compiled | None:
        """The pipeline that retrains, which takes no arguments; None without one."""
        for compiled in pipelines.values():
            check_arguments(compiled.spec, {})
            return Compiled(self._cluster.retraining(compiled), compiled.platform)
        return None

    # -- looking

    def _of_another(self, spec: MonitorSpec, reference: MonitorReference) -> tuple[str, ...]:
        """Whether another version is served than the one that pods compare with: they cannot know it."""
        try:
            served = self._cluster.served(spec.service)
        except KfnbError as error:
            return (str(error),)
        if served == reference.version:
            return ()
        return (f"{served} is served, and what is compared is {reference.version}: make the monitor again",)

    def _all(self) -> builtins.list[ScheduleSnapshot]:
        return [one for one in self._schedules.list() if one.name.startswith(PREFIX)]

    def _schedule(self, name: str) -> ScheduleSnapshot | None:
        return next((one for one in self._all() if one.name == PREFIX + name), None)

    def _known(self, name: str) -> ScheduleSnapshot:
        found = self._schedule(name)
        if found is None:
            names = [one.name.removeprefix(PREFIX) for one in self._all()]
            hint = did_you_mean(name, names, "%kf_monitors lists them")
            raise NotFound(f"unknown monitor {name}:", hint=hint, ref=name)
        return found

    def _snapshot(self, schedule: ScheduleSnapshot, most: int) -> MonitorSnapshot:
        name = schedule.name.removeprefix(PREFIX)
        place, _ = self._cluster.place(name)
        spec, record = _spec(place, name), place.record()
        states = [one.state for one in record.standing.rules]
        error = _unchecked(spec, schedule, record)
        state = overall(states) if states and not error else MonitorState.NO_DATA
        same = [one.since for one in record.standing.rules if one.state is state and not error]
        return MonitorSnapshot(
            spec,
            state,
            min(same, default=None),
            record.standing.rules,
            tuple(place.reports(most)),
            record.standing.alarms,
            record.actions,
            WindowProfiles(),
            not schedule.enabled,
            None,
            self.name,
            error=error,
        )


def _profiles(reference: MonitorReference, record: MonitorRecord) -> WindowProfiles:
    """What is compared with, and the sum of the window's panes."""
    panes = [one for one in record.panes if one.key == reference.key]
    if not panes:
        return WindowProfiles()
    window = together(panes)
    return WindowProfiles(reference.profile, reference.predictions, window.inputs, window.predictions)


def _spec(place: MonitorPlace, name: str) -> MonitorSpec:
    """What a monitor watches. Raises ``BackendError``."""
    with suppress(ObjectMissing, TypeError, LookupError):
        return spec_of(place.about()["spec"])
    raise _lost(place, name)


def _reference(place: MonitorPlace, name: str) -> MonitorReference:
    """What a monitor compares with. Raises ``BackendError``."""
    with suppress(ObjectMissing, TypeError, LookupError):
        return reference_of(place.about()["reference"])
    raise _lost(place, name)


def _lost(place: MonitorPlace, name: str) -> BackendError:
    return BackendError(
        f"what monitor {name} watches is not in {place.path}: make the monitor again", ref=name
    )


def _unchecked(spec: MonitorSpec, schedule: ScheduleSnapshot, record: MonitorRecord) -> str:
    """That checks fail, since a failed run writes no report; empty if they do not."""
    last = record.counted or schedule.created or spec.created
    late = unchecked(max(spec.every, _STARTS_WITHIN), last, time.time()) if schedule.enabled else ""
    return late and f"{late}: see the newest runs of {schedule.name}"
