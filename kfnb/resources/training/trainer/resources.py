"""Trainer's resources in one namespace, as they are requested; refusals become errors of trainings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from kfnb.errors import Absent, BackendError, Hidden, RunNotFound
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, at, mapping
from kfnb.resources.training.trainer.objects import GROUP, JOBSET, TRAINING, VERSION
from kfnb.resources.training.trainer.runtimes import TrainingRuntime, read_runtime
from kfnb.resources.training.trainer.trainjob import TrainerSchema

_NOT_INSTALLED = (
    "Kubeflow Trainer is not installed in this cluster: it has no TrainJobs (trainer.kubeflow.org). Ask its"
    " administrator for Trainer, or train here: --backend local"
)


class TrainerResources:
    """The TrainJobs of a ``namespace``, their pods and events, and the runtimes. Every error is a ``BackendError``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self.kubernetes, self.namespace = kubernetes, namespace
        self._api = f"/apis/{GROUP}/{VERSION}"
        self._jobs = f"{self._api}/namespaces/{namespace}/trainjobs"
        self._core = f"/api/v1/namespaces/{namespace}"
        self._schema: TrainerSchema | None = None

    def schema(self) -> TrainerSchema:
        """What this cluster's Trainer takes, as its CRD says; any user may read that as OpenAPI."""
        if self._schema is None:
            with self._in_words():
                schemas = mapping(self.kubernetes.get(f"/openapi/v3{self._api}"), "components", "schemas")
            found: Item = next((one for name, one in schemas.items() if name.endswith(".TrainJob")), {})
            self._schema = TrainerSchema.of(mapping(found, "properties", "spec", "properties"))
        return self._schema

    def runtimes(self) -> list[TrainingRuntime]:
        """The runtimes of the namespace, then those of the cluster. A kind that may not be listed is left out."""
        found: list[TrainingRuntime] = []
        refused: BackendError | None = None
        namespaced = f"{self._api}/namespaces/{self.namespace}/trainingruntimes"
        for kind, path in (
            ("TrainingRuntime", namespaced),
            ("ClusterTrainingRuntime", f"{self._api}/clustertrainingruntimes"),
        ):
            try:
                with self._in_words():
                    found += [read_runtime(one, kind) for one in self.kubernetes.list(path)]
            except Hidden as error:
                refused = error
        if not found and refused is not None:
            raise refused
        return found

    def create(self, body: Item, *, dry_run: bool = False) -> Item:
        """Make a TrainJob."""
        with self._in_words():
            return self.kubernetes.create(self._jobs, body, dry_run=dry_run)

    def trainjob(self, name: str) -> Item:
        """A TrainJob. Raises ``RunNotFound``."""
        with self._in_words(name):
            return self.kubernetes.get(f"{self._jobs}/{name}")

    def trainjobs(self) -> list[Item]:
        """The TrainJobs that kfnb made."""
        with self._in_words():
            return list(self.kubernetes.list(self._jobs, {"labelSelector": TRAINING}))

    def change(self, name: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a TrainJob."""
        with self._in_words(name):
            self.kubernetes.patch(f"{self._jobs}/{name}", fields)

    def delete(self, name: str) -> None:
        """Delete a TrainJob; it goes when its pods have ended."""
        with self._in_words(name):
            self.kubernetes.delete(f"{self._jobs}/{name}", order="Foreground")

    def pods(self, name: str) -> list[Item]:
        """The pods of a TrainJob, the oldest first."""
        with self._in_words():
            found = list(self.kubernetes.list(f"{self._core}/pods", {"labelSelector": f"{JOBSET}={name}"}))
        return sorted(found, key=lambda pod: str(at(pod, "metadata", "creationTimestamp") or ""))

    def events(self, name: str) -> list[Item]:
        """The events on an object; none where they may not be read."""
        with suppress(BackendError):
            return list(
                self.kubernetes.list(f"{self._core}/events", {"fieldSelector": f"involvedObject.name={name}"})
            )
        return []

    @contextmanager
    def _in_words(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except Absent as absent:
            if absent.kind == "resource":
                raise BackendError(_NOT_INSTALLED) from None
            if not name or absent.kind != "object":
                raise
            raise RunNotFound(f"unknown training {name} in namespace {self.namespace}", ref=name) from None
