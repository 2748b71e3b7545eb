"""Where a cluster's model registries are: the services with their label, as far as the user may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.errors import Absent, BackendError, Hidden
from kfnb.remote.kubernetes.client import Kubernetes

API = "/api/model_registry"
VERSIONS = ("v1", "v1alpha3")
"""The versions of the API that kfnb speaks, the preferred one first. A server has one of them, or both for a while."""
SERVICE, PORT = "model-registry-service", 8080
"""The name and port of the service that Kubeflow's manifests install."""
_LABEL = "component=model-registry"
_PORTS = {"http-api": "http", "https-api": "https"}


@dataclass(frozen=True)
class RegistryService:
    """The service of a registry: ``scheme`` is what its ``port`` speaks."""

    name: str
    namespace: str
    port: int = PORT
    scheme: str = "http"

    @property
    def address(self) -> str:
        """Its address within the cluster."""
        return f"{self.scheme}://{self.name}.{self.namespace}:{self.port}"


def path_to_list(version: str) -> str:
    """The path that answers 200 if a server speaks a version of the API."""
    return f"{API}/{version}/registered_models?pageSize=1"


def find(kubernetes: Kubernetes, namespaces: Iterable[str], named: str = "") -> RegistryService:
    """The registry that the user may see: the one called ``named``, else the only one in the first namespace with any.

    Where services may not be listed, the one with the usual name is asked for by its name. Raises ``BackendError``.
    """
    hidden = []
    for namespace in dict.fromkeys(namespaces):
        try:
            found = _services(kubernetes, namespace, named)
        except Hidden:
            hidden.append(namespace)
            continue
        if len(found) > 1:
            names = ", ".join(sorted(one.name for one in found))
            raise BackendError(
                f"namespace {namespace} has several model registries: {names};",
                hint="choose one with %kf_config model_registry=NAME",
                ref=namespace,
            )
        if found:
            return found[0]
    raise _unknown(named, list(dict.fromkeys(namespaces)), hidden)


def _services(kubernetes: Kubernetes, namespace: str, named: str) -> list[RegistryService]:
    path = f"/api/v1/namespaces/{namespace}/services"
    try:
        listed = [*kubernetes.list(path, {"labelSelector": _LABEL})]
    except Hidden:
        listed = []
    except Absent:
        return []
    found = [_service(one, namespace) for one in listed]
    chosen = [one for one in found if not named or one.name == named]
    return chosen or _by_name(kubernetes, path, namespace, named or SERVICE)


def _by_name(kubernetes: Kubernetes, path: str, namespace: str, name: str) -> list[RegistryService]:
    try:
        return [_service(kubernetes.get(f"{path}/{name}"), namespace)]
    except Absent:
        return []


def _service(service: Mapping[str, Any], namespace: str) -> RegistryService:
    name = service["metadata"]["name"]
    for port in (service.get("spec") or {}).get("ports") or ():
        if port.get("name") in _PORTS:
            return RegistryService(name, namespace, int(port["port"]), _PORTS[port["name"]])
    return RegistryService(name, namespace)


def _unknown(named: str, namespaces: list[str], hidden: list[str]) -> BackendError:
    where = f"namespace {' or '.join(namespaces)}"
    if hidden:
        hidden_in = " and ".join(hidden)
        message = f"no model registry was found: you may not see the services of namespace {hidden_in} (403);"
        hint = (
            "ask an administrator for the right to get its service, or set %kf_config model_registry=ADDRESS"
        )
        return BackendError(message, code="forbidden", hint=hint, ref=hidden[0])
    message = (
        f"model registry {named} was not found in {where};"
        if named
        else f"no model registry was found in {where};"
    )
    hint = "if it is elsewhere, set %kf_config model_registry=ADDRESS"
    return BackendError(message, code="not-found", hint=hint, ref=namespaces[0] if namespaces else "")
