"""The connection to a cluster's model registry and to the store of its model folders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

from kfnb.errors import BackendError
from kfnb.remote import environment
from kfnb.remote.current import Current
from kfnb.remote.environment import KubeflowEnvironment
from kfnb.remote.kubernetes import kubeconfig
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.model_registry.discovery import PORT, SERVICE, RegistryService, find
from kfnb.remote.model_registry.server import RegistryServer
from kfnb.resources.models.kubeflow.engine import KubeflowRegistry
from kfnb.resources.models.kubeflow.folders import StoredFolders
from kfnb.resources.runs.kubeflow.connection import WITHIN, Access, Ways, credentials
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.settings import settings

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_UNKNOWN = (
    "no model registry of Kubeflow is configured: neither model_registry nor context nor host is set, and this is not "
    "a pod of a cluster. Set %kf_config model_registry=ADDRESS, or %kf_config context=NAME for a context of your "
    "kubeconfig"
)


def connect() -> KubeflowRegistry:
    """The model registry of the cluster that the settings name. Raises ``BackendError`` if none is found."""
    chosen = settings()
    access = Access(**{field.name: getattr(chosen, field.name) for field in fields(Access)})
    key = access, environment.read(), chosen.model_registry, Path(chosen.home) / "models"
    return _current.get(key, lambda: registry_at(*key))


_current: Current[KubeflowRegistry] = Current()


def registry_at(access: Access, around: KubeflowEnvironment, setting: str, kept: Path) -> KubeflowRegistry:
    """The model registry for these settings; ``setting`` is its address, or its service's name, empty to detect it.

    Downloaded model folders are kept below ``kept``. Raises ``BackendError`` if no registry is found.
    """
    kubernetes = kubeconfig.kubernetes(access.context, within=around.in_cluster)
    ways = Ways(access.context, kubernetes)
    namespace = (
        access.namespace or around.namespace or kubeconfig.namespace(access.context) or access.installed
    )
    url, hint = _address(access, around, setting, _Search(kubernetes, (namespace, access.installed), ways))
    server = RegistryServer(
        url,
        credentials=credentials(access, around),
        ca=access.ca_file,
        verify=access.verify,
        direct=around.in_cluster and WITHIN.fullmatch(url) is not None,
        hint=hint,
    )
    storage = Storage(namespace, kubernetes, access.pipeline_root, access.installed)
    store = Store(storage, ways.reached, ca_file=access.ca_file, verify=access.verify)
    folders = StoredFolders(store.root, lambda uri: store.filesystem(storage.session_for(uri), uri), kept)
    return KubeflowRegistry(server, folders, ways.close)


class _Search:
    """Finds the registry's service by asking Kubernetes, where there is one."""

    def __init__(self, kubernetes: Kubernetes | None, namespaces: tuple[str, ...], ways: Ways) -> None:
        self.kubernetes, self._namespaces, self._ways = kubernetes, namespaces, ways

    def find(self, named: str) -> RegistryService:
        """See ``discovery.find``."""
        assert self.kubernetes is not None
        return find(self.kubernetes, self._namespaces, named)

    def forwarded(self, named: str) -> tuple[str, Callable[[], str]]:
        """The address of a port-forward to the service, and the hint if it does not answer there."""
        service = self.find(named)
        forward = self._ways.forward(service.name, service.namespace, service.port)
        where = f"It is a port-forward to {service.name} in namespace {service.namespace}"
        return f"{service.scheme}://{forward.address}", lambda: ": ".join(
            filter(None, (where, forward.trouble))
        )


def _address(
    access: Access, around: KubeflowEnvironment, setting: str, search: _Search
) -> tuple[str, Callable[[], str]]:
    """The address of the registry, and the hint if it does not answer there."""
    named = setting if _NAME.fullmatch(setting) else ""
    other = "Set another: %kf_config model_registry=ADDRESS"
    if setting and not named:
        return (
            setting if "://" in setting else f"http://{setting}",
            lambda: "It is model_registry of the settings",
        )
    if access.context and search.kubernetes is not None:
        return search.forwarded(named)
    if access.host:
        url = _beside(access.host, named)
        return url, lambda: f"It is beside the host of the settings, {access.host}. {other}"
    if around.in_cluster:
        try:
            url = search.find(named).address if search.kubernetes is not None else ""
        except BackendError as error:
            if error.code == "not-found":
                raise
            url = ""  # services may be hidden where the registry itself is not
        url = url or RegistryService(named or SERVICE, access.installed, PORT).address
        return url, lambda: f"It is the address of its service. {other}"
    raise BackendError(_UNKNOWN)


def _beside(host: str, named: str) -> str:
    """The registry that is behind the same gateway as Kubeflow Pipelines, or in the same namespace."""
    within = WITHIN.fullmatch(host)
    if within is not None and within["service"].startswith("ml-pipeline"):
        return RegistryService(named or SERVICE, within["namespace"], PORT).address
    address = urlsplit(host if "://" in host else f"https://{host}")
    return f"{address.scheme}://{address.netloc}"
