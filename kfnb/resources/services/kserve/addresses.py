"""How a service is reached: within the cluster, through its gateway, or through a port-forward."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kfnb.errors import BackendError, ServiceFailed
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import word
from kfnb.remote.portforward import tunnel
from kfnb.remote.portforward.forward import Forward, Forwards
from kfnb.resources.services.engine import ServiceAddress
from kfnb.resources.services.kserve.mode import DeploymentMode
from kfnb.resources.services.kserve.objects import graph_name
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.predictor import PORT
from kfnb.resources.services.kserve.shares import true_shares

_HTTP = 80
_NAMED = "%kf_config host=https://ADDRESS names the gateway; version='default' asks one version's pod"


@dataclass(frozen=True)
class Entrance:
    """Where this process stands. ``within`` is in the cluster; ``gateway`` an address before it, from the settings.

    ``headers`` has the credentials for that gateway; ``local_gateway`` finds the service and the namespace of the
    gateway within the cluster.
    """

    within: bool
    gateway: str = ""
    headers: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)
    local_gateway: Callable[[], tuple[str, str]] = lambda: ("", "")
    ca: str = ""
    verify: bool = True


class ServiceAddresses:
    """Finds the address of services in a namespace. Port-forwards are kept open until ``close``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str, entrance: Entrance) -> None:
        self._kubernetes, self._namespace, self._entrance = kubernetes, namespace, entrance
        self._services = Forwards(kubernetes)
        self._pods: dict[str, Forward] = {}
        self._lock = threading.Lock()

    def address(self, name: str, seen: Observation, revision: int | None, *, split: bool) -> ServiceAddress:
        """Where requests to a service go; to one ``revision`` if that is given.

        ``split`` is whether the requests may go through what splits them. Raises ``BackendError``.
        """
        denied = _policy(name, self._namespace, seen)
        if revision is not None:
            return self._pod(seen, revision, denied)
        graph = seen.splitter if split else None
        public = word(graph if graph is not None else seen.service, "status", "url")
        if self._entrance.gateway and public:
            return self._through_gateway(public, denied)
        if self._entrance.within:
            inner = word(seen.service, "status", "address", "url")
            if graph is not None:  # whose status has an address for others alone
                inner = f"http://{graph_name(name)}.{urlsplit(inner).netloc.partition('.')[2]}"
            return ServiceAddress(inner or public, denied=denied)
        return self._forwarded(name, seen, denied, split=split)

    def close(self) -> None:
        """Close all port-forwards."""
        self._services.close()
        with self._lock:
            for one in self._pods.values():
                one.close()
            self._pods.clear()

    def _through_gateway(self, public: str, denied: str) -> ServiceAddress:
        gateway = urlsplit(self._entrance.gateway)
        headers = {**self._entrance.headers(), "host": urlsplit(public).netloc}
        url = f"{gateway.scheme}://{gateway.netloc}"
        return ServiceAddress(url, headers, self._entrance.ca, self._entrance.verify, denied)

    def _forwarded(self, name: str, seen: Observation, denied: str, *, split: bool) -> ServiceAddress:
        shares = {number: share for number, share in (true_shares(name, seen) or {}).items() if share}
        if seen.splitter is not None and split:
            return self._service(graph_name(name), _HTTP, {}, denied)
        alone = next(iter(shares)) if len(shares) == 1 else None
        if seen.graph is not None:
            alone = seen.current
        if alone is not None and seen.ready_pods(alone):
            return self._pod(seen, alone, denied)
        if seen.mode is not DeploymentMode.KNATIVE:
            message = f"the requests to {name} are split by a gateway, whose address is unknown here;"
            raise BackendError(message, hint=_NAMED, ref=name)
        gateway, namespace = self._entrance.local_gateway()
        host = urlsplit(word(seen.service, "status", "address", "url")).netloc
        try:
            tunnel.target(self._kubernetes, gateway, namespace, _HTTP)
        except BackendError as error:
            message = f"cannot reach the gateway {gateway} in namespace {namespace}: {error};"
            raise BackendError(message, code=error.code, hint=_NAMED, ref=name) from None
        forward = self._services.to(gateway, namespace, _HTTP)
        return ServiceAddress(f"http://{forward.address}", {"host": host}, denied=denied)

    def _service(self, service: str, port: int, headers: Mapping[str, str], denied: str) -> ServiceAddress:
        tunnel.target(self._kubernetes, service, self._namespace, port)  # which says why, if it is not there
        forward = self._services.to(service, self._namespace, port)
        return ServiceAddress(f"http://{forward.address}", headers, denied=denied)

    def _pod(self, seen: Observation, revision: int, denied: str) -> ServiceAddress:
        """A pod of a revision, by a port-forward: no gateway splits what goes there."""
        ready = [word(one, "metadata", "name") for one in seen.ready_pods(revision)]
        if not ready:
            raise ServiceFailed(f"no pod of revision {revision} answers now", hint="wait until it is ready")
        with self._lock:
            for gone in [
                one for one in self._pods if one not in {word(pod, "metadata", "name") for pod in seen.pods}
            ]:
                self._pods.pop(gone).close()
            name = next((one for one in ready if one in self._pods), ready[0])
            if name not in self._pods:
                self._pods[name] = Forward(
                    lambda: tunnel.dial_pod(self._kubernetes, name, PORT, self._namespace)
                )
            return ServiceAddress(f"http://{self._pods[name].address}", denied=denied)


def _policy(name: str, namespace: str, seen: Observation) -> str:
    """What lets requests pass where Istio refuses them: the AuthorizationPolicy that is missing, as YAML."""
    knative = seen.mode is DeploymentMode.KNATIVE
    label = f"serving.knative.dev/service: {name}-predictor" if knative else f"app: isvc.{name}-predictor"
    return f"""Istio lets no one ask it: an AuthorizationPolicy is missing. Who may edit them applies this:

apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {name}-callers
  namespace: {namespace}
spec:
  selector:
    matchLabels:
      {label}
  action: ALLOW
  rules:
  - from:
    - source:
        namespaces: [{namespace}, istio-system, knative-serving]
"""
