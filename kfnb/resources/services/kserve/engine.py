"""KServe as an engine of services: every InferenceService of a namespace is a service, whatever created it.

kfnb runs no controller in the cluster. What has to wait for something else (requests go to a version once that
answers) is written by whoever looks at the service next.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from kfnb.entities import LogLine
from kfnb.errors import BackendError, Conflict, ServiceFailed, ServiceNotFound, UsageError
from kfnb.jobs.polling import Pace
from kfnb.remote.kubernetes.fields import word
from kfnb.resources.services.engine import ServiceAddress, ServiceSpec
from kfnb.resources.services.kserve.addresses import ServiceAddresses
from kfnb.resources.services.kserve.failure_report import FailureReport, FailureReports
from kfnb.resources.services.kserve.foreign import record_of_another
from kfnb.resources.services.kserve.label_folder import LabelFolder
from kfnb.resources.services.kserve.logs import PodLogs, follow
from kfnb.resources.services.kserve.mode import DeploymentMode, KServeSettings, mode_of
from kfnb.resources.services.kserve.objects import STOP, Write, canary_name, changed, graph_name, written
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.pod_counters import PodCounters
from kfnb.resources.services.kserve.predictor import ServingPlace, predictor_of
from kfnb.resources.services.kserve.record import ServiceRecord, WrittenRevision
from kfnb.resources.services.kserve.refusals import no_labels, not_kept, refuse, taken
from kfnb.resources.services.kserve.resources import ServingResources
from kfnb.resources.services.kserve.runtimes import is_v2, runtime_named
from kfnb.resources.services.kserve.snapshot import outline, snapshot
from kfnb.resources.services.kserve.splits import next_writes
from kfnb.resources.services.model import DesiredState, ServiceSnapshot, ServiceState, Target
from kfnb.resources.services.moves import conflict, served_target
from kfnb.resources.services.protocols import V2
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.requests import LabelledRow, RequestWindow

_TRIES = 5
"""How often an object that another user (its controller, too) changed meanwhile is read and written again."""


class RevisionPlaces(Protocol):
    """Puts versions where KServe fetches them."""

    def place(self, target: Target) -> ServingPlace:
        """Where a version's folder is for KServe, after it was put there. Raises ``BackendError``."""
        ...

    def labels(self, target: Target) -> Mapping[str, str]:
        """The labels by which Kubeflow's model registry knows what is served."""
        ...

    def columns(self, target: Target) -> tuple[str, ...]:
        """The columns that a version takes, in their order; empty if unknown."""
        ...


class KServeEngine:
    """The services of a namespace. ``settings`` reads KServe's own; ``close`` closes what leads to the store."""

    name = "kubeflow"
    pace = Pace(2.0, 15.0)

    def __init__(
        self,
        resources: ServingResources,
        places: RevisionPlaces,
        addresses: ServiceAddresses,
        settings: Callable[[], KServeSettings],
        close: Callable[[], object] = lambda: None,
        labels: Callable[[str], LabelFolder] = no_labels,
    ) -> None:
        self._resources, self._places, self._close = resources, places, close
        self._addresses, self._settings, self._labels = addresses, settings, labels
        self._reports = FailureReports(resources.kubernetes, resources.namespace)
        self._counters = PodCounters(resources.kubernetes, resources.namespace)

    def close(self) -> None:
        """Close all port-forwards."""
        self._addresses.close()
        self._close()

    # -- what is requested

    def create(self, spec: ServiceSpec) -> None:
        """Make an InferenceService, and return at once."""
        refuse(spec.desired, spec)
        with suppress(ServiceNotFound):
            self._resources.service(spec.name)
            raise taken(spec.name, self._resources.namespace)
        made = self._written(spec.name, spec.desired, {})
        default = made[spec.desired.default.revision]
        new = written("inferenceservices", spec.name, spec.name, {}, {})
        body = changed(new, {"predictor": default.predictor}, default.labels)
        try:
            service = self._resources.write(Write("inferenceservices", spec.name, body, exists=False))
        except Conflict as error:
            if error.exists:
                raise taken(spec.name, self._resources.namespace) from None
            raise
        history = (spec.desired.move,)
        record = ServiceRecord(spec.name, spec.desired, made, history, spec.owner, time.time())
        try:
            self._resources.keep(record, service)
        except BaseException:  # without it no one knows what the service is
            with suppress(BackendError):
                self._resources.write(Write("inferenceservices", spec.name, None))
            raise

    def change(self, name: str, desired: DesiredState) -> None:
        """Want something else. Raises ``Conflict`` if another user was faster."""
        seen, record = self._known(name)
        if not record.made_here:
            message = f"InferenceService {name} was not made by kfnb, which does not change it:"
            raise BackendError(message, hint="serve under another name, or delete it first", ref=name)
        if record.desired.generation >= desired.generation:
            raise conflict(name, record.desired.move)
        refuse(desired)
        after = record.changed(desired, self._written(name, desired, record.written, record))
        try:
            kept = self._resources.keep(after, seen.service)
        except Conflict:
            raise conflict(name, self._known(name)[1].desired.move) from None
        try:
            self._advance(kept, seen)
        except BackendError:
            with suppress(BackendError):  # what cannot be brought about is not requested
                self._resources.keep(replace(record, version=kept.version), seen.service)
            raise

    def _written(
        self,
        name: str,
        desired: DesiredState,
        there: Mapping[int, WrittenRevision],
        record: ServiceRecord | None = None,
    ) -> dict[int, WrittenRevision]:
        """The revisions that are requested and were not written yet."""
        found = {}
        for target in desired.targets:
            if target.revision in there:
                continue
            if target.runtime:
                runtime_named(target.runtime).check(target.ref, target.format)
            like = record.placed_like(target) if record is not None else None
            place = like.place if like is not None else self._places.place(target)
            labels = like.labels if like is not None else self._places.labels(target)
            found[target.revision] = WrittenRevision(predictor_of(name, target, place), place, labels)
        return found

    def _advance(self, record: ServiceRecord, seen: Observation) -> Observation:
        """Write what can be written now for what is requested, and return what is there then.

        Raises ``Conflict`` where an object of that name is there, and is not this service's.
        """
        taken: Conflict | None = None
        for _ in range(_TRIES):
            writes = [*next_writes(record, seen, self._settings)]
            if not writes:
                return seen
            try:
                for write in writes:
                    self._resources.write(write)
            except Conflict as conflict:
                taken = conflict if conflict.exists else None
                seen = self._resources.observe(record.name)
                continue
            return self._resources.observe(record.name)
        if taken is not None:
            raise taken
        return seen

    # -- what is there

    def get(self, name: str) -> ServiceSnapshot:
        """The service as it is now."""
        seen, record = self._known(name)
        note = ""
        if record.made_here:
            try:
                seen = self._advance(record, seen)
            except BackendError as error:
                note = f"it cannot be brought to what is requested: {error}"
        pending = record.made_here and bool([*next_writes(record, seen, self._settings)])
        found = snapshot(record, seen, lambda target: self._report(record, target, seen), pending=pending)
        found = self._counters.counted(found, seen) if record.made_here else found
        return replace(found, notes=(*found.notes, note)) if note else found

    def list(self) -> builtins.list[ServiceSnapshot]:
        """The services there are, by name; without their histories and pods."""
        services = self._resources.services()
        records = self._resources.records() if services else {}
        return [
            outline(records.get(word(one, "metadata", "name")) or record_of_another(one), Observation(one))
            for one in services
        ]

    def find(self, name: str) -> str:
        """The name of an existing service."""
        return word(self._resources.service(name), "metadata", "name")

    def _known(self, name: str) -> tuple[Observation, ServiceRecord]:
        seen = self._resources.observe(name)
        return seen, self._resources.record(name) or record_of_another(seen.service)

    def _report(self, record: ServiceRecord, target: Target, seen: Observation) -> FailureReport:
        loaded = word(seen.service, "status", "modelStatus", "states", "activeModelState") != "FailedToLoad"
        if seen.ready_pods(target.revision) and (loaded or target.revision != seen.current):
            return FailureReport()
        return self._reports.of(
            record.name, target.ref, target.revision, seen, newest=target.revision == seen.current
        )

    # -- its life

    def stop(self, name: str) -> None:
        """Let KServe end all pods."""
        service, settings = self._resources.service(name), self._settings()
        if mode_of(service) is not DeploymentMode.KNATIVE and not settings.stops:
            message = f"KServe {'.'.join(map(str, settings.version or ()))} does not stop services in Standard mode;"
            raise BackendError(message, hint="delete the service, and serve its model again later", ref=name)
        self._annotate(name, "true")

    def start(self, name: str) -> None:
        """Let KServe start pods again, of what is requested now."""
        seen, record = self._known(name)
        if record.made_here:
            self._advance(record, seen)
        self._annotate(name, None)

    def _annotate(self, name: str, stopped: str | None) -> None:
        self._resources.annotate("inferenceservices", name, {STOP: stopped})
        self._resources.annotate("inferenceservices", canary_name(name), {STOP: stopped})
        self._resources.annotate("inferencegraphs", graph_name(name), {STOP: stopped})

    def delete(self, name: str) -> None:
        """Delete its objects. Folders stay in the store: versions share them."""
        seen = self._resources.observe(name)
        if seen.graph is not None:
            self._resources.write(Write("inferencegraphs", graph_name(name), None))
        if seen.canary is not None:
            self._resources.write(Write("inferenceservices", canary_name(name), None))
        self._resources.write(Write("inferenceservices", name, None))
        self._resources.forget(name)

    def logs(self, name: str, revision: int | None = None, *, follow: bool = False) -> Iterator[LogLine]:
        """The lines that revisions wrote."""
        seen, record = self._known(name)
        targets = (*record.desired.earlier, *record.desired.targets)
        refs = {one.revision: one.ref for one in targets if revision in (None, one.revision)}
        if revision is not None and not refs:
            raise UsageError(f"service {name} has no revision {revision}", ref=str(revision))
        logs = PodLogs(self._resources.kubernetes, self._resources.namespace)
        return self._followed(name, logs, refs) if follow else logs.lines(seen, refs)

    def _followed(self, name: str, logs: PodLogs, refs: Mapping[int, str]) -> Iterator[LogLine]:
        return follow(iter(lambda: self._resources.observe(name), None), logs, refs)

    def address(self, name: str, version: str = "", verb: str = "predict") -> ServiceAddress:
        """Where requests go."""
        now = self.get(name)
        if now.state in (ServiceState.STOPPED, ServiceState.FAILED) or not now.state.answers:
            hint = (
                f"%kf_services start {name} starts it"
                if now.state is ServiceState.STOPPED
                else "wait until it is ready"
            )
            why = "; ".join(now.failures)
            raise ServiceFailed(
                f"service {name} is {now.state}{f': {why}' if why else ''}", hint=hint, ref=name
            )
        answering = now.desired.default if not version else served_target(name, now.desired, version)
        seen, record = self._known(name)
        found = self._addresses.address(
            name, seen, answering.revision if version else None, split=verb == "predict"
        )
        written = record.written.get(answering.revision)
        predictor = seen.predictor if written is None else written.predictor
        return replace(found, protocol=V2(self._places.columns(answering))) if is_v2(predictor) else found

    def requests(self, name: str, window: RequestWindow) -> Iterator[Any]:
        """Nothing in the cluster keeps requests for kfnb: raises ``UsageError``."""
        del window
        raise not_kept(name)

    def labelled(
        self, name: str, version: str, most: int, *, inputs: bool = False
    ) -> builtins.list[LabelledRow]:
        """Nothing in the cluster keeps what was answered: raises ``UsageError``."""
        del version, most, inputs
        raise not_kept(name)

    def feedback(self, name: str, ids: Sequence[str], labels: Sequence[Any], by: str) -> FeedbackReceipt:
        """Keep labels beside the log of requests. Raises ``UsageError`` for a service that has none."""
        return self._labels(name).add(ids, labels, by)
