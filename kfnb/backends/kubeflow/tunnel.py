"""A connection to a port of a pod, through the Kubernetes API server: its websocket, in the form of a socket.

The ``kubernetes`` package has a port-forward of its own, which leaves who waits waiting when the websocket breaks, and
prints the traceback of its thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from kfnb import compat
from kfnb.cluster.kubernetes import Kubernetes
from kfnb.diagnostics import logger, where
from kfnb.errors import BackendError

_logger = logger(__package__)

Json = Mapping[str, Any]

_DATA, _ERROR = 0, 1
"""The channels of the one port, the first byte of each message. The first message of each names the port."""


class Tunnel:
    """What of a socket a forward needs: ``recv``, ``sendall``, ``shutdown``, ``close``."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._named: set[int] = set()

    def recv(self, _size: int) -> bytes:
        """What comes next, of any size; nothing at the end. Raises ``OSError`` where the tunnel breaks."""
        from websocket import ABNF, WebSocketException

        while True:
            try:
                kind, message = self._websocket.recv_data()
            except WebSocketException as error:
                raise ConnectionError(f"the port-forward broke: {error}") from None
            if kind == ABNF.OPCODE_CLOSE:
                return b""
            if not message:
                continue
            channel, content = message[0], bytes(message[1:])
            if channel not in self._named:
                self._named.add(channel)
            elif channel == _ERROR:
                raise ConnectionError(f"the port-forward broke: {content.decode(errors='replace')}")
            elif content:
                return content

    def sendall(self, data: bytes) -> None:
        """Send it all. Raises ``OSError`` where the tunnel breaks."""
        from websocket import WebSocketException

        try:
            self._websocket.send_binary(bytes([_DATA]) + data)
        except WebSocketException as error:
            raise ConnectionError(f"the port-forward broke: {error}") from None

    def shutdown(self, _how: int) -> None:
        """The protocol has no end of one side alone: this is the end of both. Who waits in ``recv`` is woken."""
        self._websocket.abort()

    def close(self) -> None:
        """Give up the connection."""
        with suppress(OSError):
            self._websocket.shutdown()


def dial(kubernetes: Kubernetes, service: str, namespace: str, port: int) -> Tunnel:
    """A tunnel to a port of a service, that is to a pod behind it. Raises ``BackendError``."""
    pod, pod_port = target(kubernetes, service, namespace, port)
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward?ports={pod_port}"
    try:
        return Tunnel(compat.websocket(kubernetes.client, kubernetes.host + path))
    except Exception as error:  # websocket's own, OSError, ssl's
        _logger.warning("A port-forward cannot be opened.\n%s", where(error))
        status = getattr(error, "status_code", 0)
        why = f"the server refused it ({status})" if status else f"{type(error).__name__}"
        raise BackendError(f"no port-forward to pod {pod} in namespace {namespace}: {why}") from None


def target(kubernetes: Kubernetes, service: str, namespace: str, port: int) -> tuple[str, int]:
    """A pod that is ready behind a service, and the port there. Raises ``BackendError``."""
    core = f"/api/v1/namespaces/{namespace}"
    spec = kubernetes.get(f"{core}/services/{service}")["spec"]
    wanted = next((one.get("targetPort", port) for one in spec["ports"] if one["port"] == port), port)
    labels = ",".join(f"{name}={value}" for name, value in (spec.get("selector") or {}).items())
    if not labels:  # it leads out of the cluster, and no label would mean any pod
        raise BackendError(f"service {service} in namespace {namespace} has no pods of its own to forward to")
    for pod in kubernetes.list(f"{core}/pods", {"labelSelector": labels}):
        if any(
            one["type"] == "Ready" and one["status"] == "True"
            for one in pod["status"].get("conditions") or ()
        ):
            return pod["metadata"]["name"], wanted if isinstance(wanted, int) else _named(pod, wanted, port)
    raise BackendError(f"no pod is ready behind service {service} in namespace {namespace}")


def _named(pod: Json, name: str, port: int) -> int:
    ports: dict[str, int] = {
        one.get("name", ""): one["containerPort"]
        for container in pod["spec"]["containers"]
        for one in container.get("ports") or ()
    }
    return ports.get(name) or (int(name) if name.isdigit() else port)
