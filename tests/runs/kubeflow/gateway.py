"""A Kubernetes API server that forwards ports: one service, a pod behind it, and a websocket to a port of this machine.

The websocket is tornado's, and speaks as Kubernetes does (``v4.channel.k8s.io``): a byte for the channel, 0 for data
and 1 for errors, before each message; the first message of each channel is the port.
"""

import asyncio
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

TOKEN = "gateway-canary-91c4"
PROTOCOL = "v4.channel.k8s.io"
_CORE = "/api/v1/namespaces/kubeflow"


class Gateway:
    """``port`` is what its pod's port leads to. ``refuses`` is the status that a port-forward gets instead.

    ``tunnels`` are those that are open; ``opened`` counts them all.
    """

    def __init__(self, port: int) -> None:
        self.port, self.refuses, self.opened = port, 0, 0
        self.ready = True
        self.tunnels: list[Any] = []
        self.streams: list[Any] = []
        listening, own = bind_unused_port(address="127.0.0.1")
        self.host = f"http://127.0.0.1:{own}"
        self._loop = asyncio.new_event_loop()
        started = threading.Event()

        async def serve() -> None:
            self._server = HTTPServer(_application(self))
            self._server.add_sockets([listening])
            started.set()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(serve())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, name="gateway", daemon=True)
        self._thread.start()
        started.wait()

    def call(self, what: Any, *arguments: Any) -> None:
        """Do something in the server's own thread."""

        async def done() -> None:
            what(*arguments)

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def cut(self) -> None:
        """The connections under all tunnels are gone, without a word."""
        for tunnel in list(self.tunnels):
            self.call(tunnel.ws_connection.stream.close)

    def complain(self, text: str) -> None:
        """The pod cannot be reached any more."""
        for tunnel in list(self.tunnels):
            self.call(tunnel.write_message, b"\1" + text.encode(), True)

    def close(self) -> None:
        async def stop() -> None:
            self._server.stop()
            for stream in self.streams:
                stream.close()
            await self._server.close_all_connections()
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _application(gateway: Gateway) -> Application:
    class Known(RequestHandler):
        def prepare(self) -> None:
            if self.request.headers.get("authorization") != f"Bearer {TOKEN}":
                self.send_error(401)

    class Service(Known):
        def get(self) -> None:
            ports = [{"port": 8888, "targetPort": "http"}]
            self.write({"spec": {"ports": ports, "selector": {"app": "ml-pipeline"}}})

    class Pods(Known):
        def get(self) -> None:
            assert self.get_query_argument("labelSelector") == "app=ml-pipeline"
            container = {"ports": [{"name": "http", "containerPort": 8889}]}
            states = [("a", "False"), ("b", "True" if gateway.ready else "False")]
            items = [
                {
                    "metadata": {"name": name},
                    "status": {"conditions": [{"type": "Ready", "status": status}]},
                    "spec": {"containers": [container]},
                }
                for name, status in states
            ]
            self.write(json.dumps({"items": items, "metadata": {}}))

    class Tunnel(WebSocketHandler):
        def prepare(self) -> None:
            status = (
                401 if self.request.headers.get("authorization") != f"Bearer {TOKEN}" else gateway.refuses
            )
            if status:
                self.send_error(status)

        def select_subprotocol(self, offered: list[str]) -> str | None:
            return PROTOCOL if PROTOCOL in offered else None

        async def open(self) -> None:  # type: ignore[override]
            assert self.selected_subprotocol == PROTOCOL
            port = struct.pack("<H", int(self.get_query_argument("ports")))
            self.stream = await TCPClient().connect("127.0.0.1", gateway.port)
            for end in (self, self.stream):
                end.set_nodelay(True)  # as all that Kubernetes is made of does
            gateway.streams.append(self.stream)
            try:
                await self.write_message(b"\0" + port, binary=True)
                await self.write_message(b"\1" + port, binary=True)
            except (StreamClosedError, WebSocketClosedError):
                return  # who asked has gone already
            gateway.tunnels.append(self)
            gateway.opened += 1
            asyncio.get_running_loop().create_task(self.back())

        async def back(self) -> None:
            try:
                while True:
                    data = await self.stream.read_bytes(1 << 16, partial=True)
                    await self.write_message(b"\0" + data, binary=True)
            except (StreamClosedError, WebSocketClosedError):
                self.close()

        async def on_message(self, message: Any) -> None:
            assert message[0] == 0
            await self.stream.write(message[1:])

        def on_close(self) -> None:
            if self in gateway.tunnels:
                gateway.tunnels.remove(self)
                self.stream.close()

    return Application(
        [
            (f"{_CORE}/services/ml-pipeline", Service),
            (f"{_CORE}/pods", Pods),
            (f"{_CORE}/pods/b/portforward", Tunnel),
        ],
        log_function=lambda _: None,
    )


@contextmanager
def gateway(port: int) -> Iterator[Gateway]:
    """A server for as long as it is needed."""
    server = Gateway(port)
    try:
        yield server
    finally:
        server.close()
