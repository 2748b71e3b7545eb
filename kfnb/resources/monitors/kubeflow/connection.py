"""The connection of monitors to a cluster: its recurring runs, its object store and its KServe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from kfnb import target as destination
from kfnb.pipeline.pipeline import default_image
from kfnb.pipeline.spec import Compiled
from kfnb.remote.current import Current
from kfnb.remote.objects import ObjectAddress
from kfnb.resources.datasets.api import with_data, with_newest_data
from kfnb.resources.models.api import model
from kfnb.resources.monitors.kubeflow.engine import FOLDER, KubeflowMonitorEngine
from kfnb.resources.monitors.kubeflow.kit import requirements
from kfnb.resources.monitors.kubeflow.pipeline import MonitorPods, PlaceOfPods
from kfnb.resources.monitors.kubeflow.place import MonitorPlace
from kfnb.resources.runs.api import cluster_engine
from kfnb.resources.runs.kubeflow.connection import Access, Ways
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.pod_access import keys_of_pods, options_of_pods
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.kubeflow.store_session import StoreSession
from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine
from kfnb.resources.services.api import service as service_named
from kfnb.resources.services.kserve.logger import log_of
from kfnb.resources.services.kserve.request_log import LogFolder
from kfnb.resources.services.kserve.resources import ServingResources
from kfnb.settings import settings


def connect() -> KubeflowMonitorEngine:
    """The engine of the cluster that the settings name. Raises ``UsageError``, ``BackendError``."""
    runs, chosen = cluster_engine("a monitor on a cluster"), settings()
    access = Access(**{one.name: getattr(chosen, one.name) for one in fields(Access)})
    place = access, destination.namespace(), chosen.experiment
    return _current.get((runs, place), lambda: _engine_at(runs, *place))


_current: Current[KubeflowMonitorEngine] = Current()


def _engine_at(
    runs: KubeflowRunEngine, access: Access, namespace: str, experiment: str
) -> KubeflowMonitorEngine:
    kubernetes = destination.require_kubernetes()
    storage = Storage(namespace, kubernetes, access.pipeline_root, access.installed)
    ways = Ways(access.context, kubernetes)
    store = Store(storage, ways.reached, ca_file=access.ca_file, verify=access.verify)
    schedules = KubeflowScheduleEngine(runs.submitter)
    cluster = ConnectedCluster(storage, store, ServingResources(kubernetes, namespace))
    return KubeflowMonitorEngine(schedules, runs.get, cluster, experiment=experiment, close=ways.close)


class ConnectedCluster:
    """See ``engine.MonitorCluster``."""

    def __init__(self, storage: Storage, store: Store, serving: ServingResources) -> None:
        self._storage, self._store, self._serving = storage, store, serving

    def place(self, name: str) -> tuple[MonitorPlace, PlaceOfPods]:
        """A monitor's place."""
        root, session = self._storage.root()
        uri = f"{root}/{FOLDER}/{name}"
        address = ObjectAddress.parse(uri)
        files, path = self._store.filesystem(session, uri)
        inside = PlaceOfPods(address.service, path, options_of_pods(address, session))
        return MonitorPlace(files.store, path), inside

    def pods(self) -> MonitorPods:
        """What pods run as."""
        chosen, (_, session) = settings(), self._storage.root()
        return MonitorPods(
            chosen.base_image or default_image(),
            requirements(),
            tuple(chosen.index_urls),
            session.secret,
            variables_of(session),
        )

    def log(self, service: str) -> LogFolder:
        """Where the requests of a service are."""
        root, _ = self._storage.root()
        item = self._serving.service(service)
        return log_of(item, f"{self._serving.namespace}/{service}", ObjectAddress.parse(root).service)

    def model(self, service: str) -> tuple[Path, str]:
        """The folder of the version that is served."""
        target = service_named(service, backend="kubeflow").snapshot().desired.default
        return model(f"{target.registry}:{target.ref}").path(), target.on_bad_input

    def served(self, service: str) -> str:
        """The version that is served now."""
        return service_named(service, backend="kubeflow").snapshot().desired.default.ref

    def retraining(self, compiled: Compiled) -> Mapping[str, Any]:
        """A pipeline's spec with the addresses of its newest data."""
        return with_data(with_newest_data(compiled).spec, {}, local=False)


def variables_of(session: StoreSession) -> dict[str, str]:
    """The environment variables of pods, by the keys of the store's secret."""
    prefix = "GOOGLE" if session.token_key else "AWS"
    return {key: f"{prefix}_{name}" for name, key in keys_of_pods(session).items()}
