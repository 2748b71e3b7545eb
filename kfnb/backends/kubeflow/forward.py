"""Ports of this machine alone that lead to services in the cluster, as ``kubectl port-forward`` opens them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kfnb.errors import BackendError

Dial = Callable[[], Any]
"""Opens a connection to what is forwarded to, as a socket."""

_CHUNK = 1 << 16


class Forward:
    """A port of the loopback interface; each connection to it goes on to one that ``dial`` opens."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, name=f"kfnb-forward-{self.address}", daemon=True).start()

    def close(self) -> None:
        """No connection is taken any more; those that are open go on to their end."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(here,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        with here:
            try:
                there = self._dial()
            except Exception:
                return  # who connected sees that it is closed, and asks again
            back = threading.Thread(target=_pump, args=(there, here), daemon=True)
            back.start()
            _pump(here, there)
            back.join()
            there.close()


def _pump(source: Any, target: Any) -> None:
    """All that comes from one to the other, until it ends."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Forwards:
    """The forwards into one cluster, each opened when it is first asked for. ``client`` makes a Kubernetes client."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._open: dict[tuple[str, str, int], Forward] = {}
        self._lock = threading.Lock()

    def to(self, service: str, namespace: str, port: int) -> str:
        """The address here (``host:port``) that leads to a port of a service."""
        with self._lock:
            key = (service, namespace, port)
            if key not in self._open:
                self._open[key] = Forward(_Dialler(self._client(), service, namespace, port))
            return self._open[key].address

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            for forward in self._open.values():
                forward.close()
            self._open.clear()


class _Dialler:
    """Connects to a pod behind a service, by a Kubernetes client of its own: opening a stream alters the client."""

    def __init__(self, client: Any, service: str, namespace: str, port: int) -> None:
        self._client, self._lock = client, threading.Lock()
        self._service, self._namespace, self._port = service, namespace, port

    def __call__(self) -> Any:
        from kubernetes.client import CoreV1Api
        from kubernetes.stream import portforward

        with self._lock:
            core = CoreV1Api(self._client)
            pod, port = target(core, self._service, self._namespace, self._port)
            opened = portforward(
                core.connect_get_namespaced_pod_portforward, pod, self._namespace, ports=str(port)
            )
        return opened.socket(port)


def target(core: Any, service: str, namespace: str, port: int) -> tuple[str, int]:
    """A pod that is ready behind a service, and the port there. Raises ``BackendError``."""
    spec = core.read_namespaced_service(service, namespace, _request_timeout=10).spec
    wanted = next((one.target_port or one.port for one in spec.ports if one.port == port), port)
    labels = ",".join(f"{name}={value}" for name, value in (spec.selector or {}).items())
    pods = core.list_namespaced_pod(namespace, label_selector=labels, _request_timeout=10).items
    for pod in pods:
        if any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ()):
            return pod.metadata.name, wanted if isinstance(wanted, int) else _named(pod, wanted, port)
    raise BackendError(f"no pod is ready behind service {service} in namespace {namespace}")


def _named(pod: Any, name: str, port: int) -> int:
    ports: Mapping[str, int] = {
        one.name: one.container_port for container in pod.spec.containers for one in container.ports or ()
    }
    return ports.get(name) or (int(name) if name.isdigit() else port)
