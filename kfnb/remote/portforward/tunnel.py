"""A connection to a port of a pod, through the Kubernetes API server: its websocket, with the interface of a socket.

The port-forward of the ``kubernetes`` package blocks readers for ever when the websocket breaks, and prints the
traceback of its thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from kfnb import compat
from kfnb.diagnostics import logger, where
from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes

_logger = logger(__package__)

Json = Mapping[str, Any]

_DATA, _ERROR = 0, 1
"""The channels of the port: the first byte of each message. The first message of each channel names the port."""


class Tunnel:
    """The methods of a socket that a forward needs: ``recv``, ``sendall``, ``shutdown``, ``close``."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._named: set[int] = set()

    def recv(self, _size: int) -> bytes:
        """The next bytes, of any size; empty at the end. Raises ``OSError`` if the tunnel breaks."""
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
        """Send all bytes. Raises ``OSError`` if the tunnel breaks."""
        from websocket import WebSocketException

        try:
            self._websocket.send_binary(bytes([_DATA]) + data)
        except WebSocketException as error:
            raise ConnectionError(f"the port-forward broke: {error}") from None

    def shutdown(self, _how: int) -> None:
        """Close both directions, since the protocol has no half-close. Wakes a thread that waits in ``recv``."""
        self._websocket.abort()

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self._websocket.shutdown()


def dial(kubernetes: Kubernetes, service: str, namespace: str, port: int) -> Tunnel:
    """Open a tunnel to a port of a service, through a pod behind it. Raises ``BackendError``."""
    return dial_pod(kubernetes, *target(kubernetes, service, namespace, port), namespace)


def dial_pod(kubernetes: Kubernetes, pod: str, port: int, namespace: str) -> Tunnel:
    """Open a tunnel to a port of a pod. Raises ``BackendError``."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward?ports={port}"
    try:
        return Tunnel(
            compat.websocket(kubernetes.configuration, kubernetes.credentials(), kubernetes.host + path)
        )
    except Exception as error:  # errors of websocket and ssl, OSError
        _logger.warning("Cannot open a port-forward.\n%s", where(error))
        status = getattr(error, "status_code", 0)
        why = f"the server refused it ({status})" if status else f"{type(error).__name__}"
        raise BackendError(f"cannot forward a port to pod {pod} in namespace {namespace}: {why}") from None


def target(kubernetes: Kubernetes, service: str, namespace: str, port: int) -> tuple[str, int]:
    """A pod that is ready behind a service, and the port there. Raises ``BackendError``."""
    core = f"/api/v1/namespaces/{namespace}"
    spec = kubernetes.get(f"{core}/services/{service}")["spec"]
    target_port = next((one.get("targetPort", port) for one in spec["ports"] if one["port"] == port), port)
    labels = ",".join(f"{name}={value}" for name, value in (spec.get("selector") or {}).items())
    if not labels:  # an external service; an empty selector would match every pod
        raise BackendError(f"service {service} in namespace {namespace} has no pods to forward to")
    for pod in kubernetes.list(f"{core}/pods", {"labelSelector": labels}):
        if any(
            one["type"] == "Ready" and one["status"] == "True"
            for one in pod["status"].get("conditions") or ()
        ):
            return pod["metadata"]["name"], target_port if isinstance(target_port, int) else _named(
                pod, target_port, port
            )
    raise BackendError(f"no pod is ready behind service {service} in namespace {namespace}")


def _named(pod: Json, name: str, port: int) -> int:
    ports: dict[str, int] = {
        one.get("name", ""): one["containerPort"]
        for container in pod["spec"]["containers"]
        for one in container.get("ports") or ()
    }
    return ports.get(name) or (int(name) if name.isdigit() else port)
