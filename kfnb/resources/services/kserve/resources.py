"""A service's objects in one namespace, read and written; refusals become errors of services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kfnb.errors import Absent, BackendError, Conflict, Hidden, ServiceNotFound, did_you_mean
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, at, rows, word
from kfnb.resources.services.kserve.mode import DeploymentMode, mode_of
from kfnb.resources.services.kserve.objects import (
    GROUP,
    POD_OF,
    POD_OF_GRAPH,
    SERVICE,
    VERSIONS,
    Kind,
    Write,
    canary_name,
    graph_name,
    revision_of,
    revision_of_pod,
)
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord, as_config_map, record_name, record_of
from kfnb.resources.services.names import is_service_name

_NOT_INSTALLED = "KServe is not installed in this cluster: it has no {} (serving.kserve.io/{})"
_INSTEAD = "ask its administrator for KServe, or serve here: --backend local"


class ServingResources:
    """The InferenceServices of a ``namespace`` and what kfnb keeps beside them. Every error is a ``BackendError``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self.kubernetes, self.namespace = kubernetes, namespace
        self._core = f"/api/v1/namespaces/{namespace}"

    # -- objects

    def services(self) -> list[Item]:
        """All InferenceServices that are services, by name: not those of canaries."""
        with self._in_words("inferenceservices"):
            found = list(self.kubernetes.list(self._path("inferenceservices")))
        mine = [
            one
            for one in found
            if at(one, "metadata", "labels", SERVICE) in (None, word(one, "metadata", "name"))
        ]
        return sorted(mine, key=lambda one: word(one, "metadata", "name"))

    def service(self, name: str) -> Item:
        """An InferenceService. Raises ``ServiceNotFound``."""
        if not is_service_name(name):
            raise self._unknown(name)
        with self._in_words("inferenceservices", name):
            return self.kubernetes.get(self._path("inferenceservices", name))

    def write(self, write: Write) -> Item:
        """Make, replace or delete an object. Raises ``Conflict`` if it changed since it was read."""
        path = self._path(write.kind, write.name)
        with self._in_words(write.kind):
            if write.body is None:
                with suppress(Absent):
                    self.kubernetes.delete(path)
                return {}
            if write.exists:
                return self.kubernetes.replace(path, write.body)
            return self.kubernetes.create(self._path(write.kind), write.body)

    def annotate(self, kind: Kind, name: str, annotations: dict[str, str | None]) -> None:
        """Set annotations of an object; None removes one. Harmless where there is no such object."""
        with self._in_words(kind), suppress(Absent):
            self.kubernetes.patch(self._path(kind, name), {"metadata": {"annotations": annotations}})

    # -- what kfnb keeps

    def record(self, name: str) -> ServiceRecord | None:
        """What kfnb keeps of a service; None for one that it did not make."""
        try:
            found = self.kubernetes.get(f"{self._core}/configmaps/{record_name(name)}")
        except Absent:
            return None
        return record_of(found, name)

    def records(self) -> dict[str, ServiceRecord]:
        """What kfnb keeps of all services; damaged ones are left out."""
        found = {}
        for one in self.kubernetes.list(f"{self._core}/configmaps", {"labelSelector": SERVICE}):
            name = str(at(one, "metadata", "labels", SERVICE))
            with suppress(BackendError):
                found[name] = record_of(one, name)
        return found

    def keep(self, record: ServiceRecord, service: Item) -> ServiceRecord:
        """Keep what is requested of a service. Raises ``Conflict`` if another user was faster."""
        path, body = f"{self._core}/configmaps", as_config_map(record, service)
        if record.version:
            return record_of(self.kubernetes.replace(f"{path}/{record_name(record.name)}", body), record.name)
        try:
            return record_of(self.kubernetes.create(path, body), record.name)
        except Conflict as conflict:
            if not conflict.exists:
                raise
        return record_of(self.kubernetes.replace(f"{path}/{record_name(record.name)}", body), record.name)

    def forget(self, name: str) -> None:
        """Delete what is kept of a service."""
        with suppress(Absent):
            self.kubernetes.delete(f"{self._core}/configmaps/{record_name(name)}")

    # -- what is there

    def observe(self, name: str) -> Observation:
        """A service's objects as they are now. Raises ``ServiceNotFound``."""
        service = self.service(name)
        found = tuple(self._pods(name))
        own = tuple(one for one in found if at(one, "metadata", "labels", POD_OF) == name)
        mode = mode_of(service)
        if mode is DeploymentMode.KNATIVE:
            return Observation(service, pods=own, revisions=self._revisions(name, service))
        canary = _owned(self._optional("inferenceservices", canary_name(name)), name)
        pods = own if canary is None else found  # another service may have the canary's name
        graph = self._optional("inferencegraphs", graph_name(name))
        routed = self._routed(name) if rows(service, "spec", "canary") else None
        owned = _owned(graph, name)
        routers = () if owned is None else tuple(self._routers(name))
        return Observation(service, canary, owned, routers, pods, routed=routed)

    def _pods(self, name: str) -> Iterator[Item]:
        query = {"labelSelector": f"{POD_OF} in ({name},{canary_name(name)})"}
        yield from self.kubernetes.list(f"{self._core}/pods", query)

    def _routers(self, name: str) -> Iterator[Item]:
        yield from self.kubernetes.list(
            f"{self._core}/pods", {"labelSelector": f"{POD_OF_GRAPH}={graph_name(name)}"}
        )

    def _revisions(self, name: str, service: Item) -> dict[str, int]:
        """Knative's revisions by name, with our numbers; the newest alone where they may not be read."""
        path = f"/apis/serving.knative.dev/v1/namespaces/{self.namespace}/revisions"
        try:
            found = [*self.kubernetes.list(path, {"labelSelector": f"{POD_OF}={name}"})]
        except (Absent, Hidden):
            newest = word(service, "status", "components", "predictor", "latestCreatedRevision")
            return {newest: revision_of(at(service, "spec", "predictor"))} if newest else {}
        return {word(one, "metadata", "name"): revision_of_pod(one) for one in found}

    def _routed(self, name: str) -> dict[str, int] | None:
        """The weights of a service's HTTPRoute by the services behind it."""
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{self.namespace}/httproutes/{name}"
        try:
            route = self.kubernetes.get(path)
        except (Absent, Hidden):
            return None
        behind = [rows(rule, "backendRefs") for rule in rows(route, "spec", "rules")]
        split = next((one for one in behind if len(one) > 1), behind[0] if behind else [])
        return {word(one, "name"): int(one.get("weight", 1)) for one in split}

    def _optional(self, kind: Kind, name: str) -> Item | None:
        try:
            return self.kubernetes.get(self._path(kind, name))
        except (Absent, Hidden):
            return None

    def _path(self, kind: Kind, name: str = "") -> str:
        base = f"/apis/{GROUP}/{VERSIONS[kind]}/namespaces/{self.namespace}/{kind}"
        return f"{base}/{name}" if name else base

    @contextmanager
    def _in_words(self, kind: Kind, name: str = "") -> Iterator[None]:
        try:
            yield
        except Absent as absent:
            if absent.kind == "resource":
                named = {"inferenceservices": "InferenceServices", "inferencegraphs": "InferenceGraphs"}
                message = f"{_NOT_INSTALLED.format(named[kind], VERSIONS[kind])};"
                raise BackendError(message, hint=_INSTEAD, ref=kind) from None
            if not name or absent.kind != "object":
                raise
            raise self._unknown(name) from None

    def _unknown(self, name: str) -> ServiceNotFound:
        hint = ""
        with suppress(BackendError):
            hint = did_you_mean(name, [word(one, "metadata", "name") for one in self.services()])
        return ServiceNotFound(f"unknown service {name} in namespace {self.namespace}", hint=hint, ref=name)


def _owned(item: Any, service: str) -> Item | None:
    """An object, if it is this service's: another may have the same name."""
    return item if item is not None and at(item, "metadata", "labels", SERVICE) == service else None
