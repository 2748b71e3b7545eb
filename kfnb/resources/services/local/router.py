"""The router of a service: the process that all of its requests go through."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import re
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kfnb.resources.services.local.control import ControlLine
from kfnb.resources.services.local.route_counters import RouteCounters, prometheus
from kfnb.resources.services.local.routing_table import RoutedRevision, RoutingTable
from kfnb.resources.services.local.shadow import Shadow
from kfnb.resources.services.local.split import Split, place_of
from kfnb.resources.services.local.upstream import Upstream, UpstreamGone, UpstreamSilent
from kfnb.server.counters import METRICS
from kfnb.server.headers import REQUEST_ID, VERSION, request_id_of
from kfnb.server.http import HttpServer
from kfnb.server.http_messages import HttpRequest, HttpResponse, error_response
from kfnb.server.open_files import allow_connections

_OPEN = frozenset({"/v2/health/live", "/v2/health/ready", "/ready"})
"""Paths that need no token."""
_DRAIN = 30.0
"""Seconds for which requests under way are finished at the end."""
_VERSIONED = re.compile(r"/v2/models/[^/]+/versions/([^/]+)")
_PREDICTING = (":predict", "/infer")
_TRIES = 2
"""Revisions that a request is sent to."""
_RETIRED = 16
"""Revisions out of the table whose counters are kept until the driver has read them."""
_FINE = 200


class Router:
    """Answers a request by one of the revisions in its table."""

    def __init__(self, service: str, token: str = "") -> None:
        self._service, self._token = service, token.encode()
        self._loop = asyncio.get_running_loop()
        self._table = RoutingTable()
        self._split = Split({})
        self._by_number: dict[int, RoutedRevision] = {}
        self._upstreams: dict[int, Upstream] = {}
        self._shadow: Shadow | None = None
        self.counters: dict[int, RouteCounters] = {}

    def use(self, table: RoutingTable) -> None:
        """Send all further requests by another table."""
        for number in self._upstreams.keys() - {one.revision for one in table.routes}:
            self._upstreams.pop(number).close()
        for one in table.routes:
            known = self._upstreams.get(one.revision)
            if known is None or known.path != one.socket:
                self._upstreams[one.revision] = Upstream(one.socket)
            self.counters.setdefault(one.revision, RouteCounters())
        if table.shares != self._table.shares:
            self._split = Split(table.shares)
        self._table, self._by_number = table, {one.revision: one for one in table.routes}
        shadow = next((one.revision for one in table.routes if one.role == "shadow"), None)
        self._shadow = None if shadow is None else self._shadow_of(shadow)
        self._forget()

    def _shadow_of(self, number: int) -> Shadow:
        return Shadow(self._upstreams[number], self.counters[number])

    def _forget(self) -> None:
        retired = [number for number in self.counters if number not in self._by_number]
        for number in retired[:-_RETIRED]:
            del self.counters[number]

    # -- a request

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        path = unquote(request.path)
        if self._token and path not in _OPEN and not self._authorized(request):
            return error_response(
                401, "unauthorized", "the token is missing or wrong", {"www-authenticate": "Bearer"}
            )
        own = _OWN.get(path)
        if own is not None:
            return own(self)
        headers = {**request.headers, REQUEST_ID: request_id_of(request.headers)}  # one for a shadow, too
        request = replace(request, headers=headers)
        split = request.method == "POST" and path.endswith((":explain", *_PREDICTING))
        called = request.headers.get(VERSION, "") or _version_in(path)
        if called:
            return await self._pinned(request, called)
        response = await self._forwarded(request, self._chosen(request) if split else self._other(()))
        if self._shadow and split and response.status == _FINE and not path.endswith(":explain"):
            self._shadow.copy(request, response)
        return response

    async def _pinned(self, request: HttpRequest, called: str) -> HttpResponse:
        """The answer of the one version that the request names."""
        found = next((one for one in self._table.routes if one.is_called(called)), None)
        if found is None and self._table.routes:
            known = ", ".join(f"{one.role} ({one.ref})" for one in self._table.routes)
            return error_response(
                404, "unknown-version", f"no version is called {called!r}; there are {known}"
            )
        return await self._forwarded(request, found, others=False)

    def _authorized(self, request: HttpRequest) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return hmac.compare_digest(token.strip().encode(), self._token) and scheme.lower() == "bearer"

    def _chosen(self, request: HttpRequest) -> RoutedRevision | None:
        """The revision whose turn it is."""
        table = self._table
        if not table.shares:
            return None
        value = request.headers.get(table.sticky, "") if table.sticky else ""
        if not value:
            return self._by_number[self._split.next()]
        canary = next((one for one in table.routes if one.role == "canary"), None)
        return canary if canary and place_of(value) < canary.percent else self._other(())

    def _other(self, tried: Sequence[int]) -> RoutedRevision | None:
        """A revision that has not been tried, the default if possible."""
        left = [one for one in self._table.routes if one.role != "shadow" and one.revision not in tried]
        return min(left, key=lambda one: one.role != "default", default=None)

    async def _forwarded(
        self, request: HttpRequest, route: RoutedRevision | None, *, others: bool = True
    ) -> HttpResponse:
        """The answer of a revision, else with ``others`` of one other.

        A request that ended a process may end the next one as well, so that it is not sent to a third.
        """
        tried: list[int] = []
        while route is not None and len(tried) < _TRIES:
            counters, began = self.counters[route.revision], self._loop.time()
            counters.under_way += 1
            try:
                response = await self._upstreams[route.revision].send(request)
            except UpstreamGone:
                tried.append(route.revision)
                route = self._other(tried) if others else None
                continue
            except UpstreamSilent:
                response = error_response(504, "timeout", f"{route.ref} did not answer in time")
            finally:
                counters.under_way -= 1
            counters.answered(response.status, self._loop.time() - began)
            return response
        if tried:
            self.counters[tried[0]].answered(503, 0.0)
        return error_response(503, "not-ready", "no version answers at the moment", {"retry-after": "1"})

    # -- what it answers itself

    def live(self) -> HttpResponse:
        """That it runs."""
        return _json({"live": True})

    def ready(self) -> HttpResponse:
        """Whether a version answers."""
        ready = bool(self._table.shares)
        return _json({"ready": ready}, _FINE if ready else 503)

    def metrics(self) -> HttpResponse:
        """The counters for Prometheus."""
        by_ref = {one.ref: self.counters[one.revision] for one in self._table.routes}
        text = prometheus(self._service, by_ref)
        return HttpResponse(_FINE, text.encode(), METRICS)

    def stats(self) -> HttpResponse:
        """The counters as JSON."""
        routes = [
            {
                "ref": one.ref,
                "role": one.role,
                "percent": one.percent,
                **self.counters[one.revision].as_json(),
            }
            for one in self._table.routes
        ]
        return _json({"service": self._service, "generation": self._table.generation, "versions": routes})


_OWN: dict[str, Callable[[Router], HttpResponse]] = {
    "/v2/health/live": Router.live,
    "/v2/health/ready": Router.ready,
    "/ready": Router.ready,
    "/metrics": Router.metrics,
    "/kfnb/stats": Router.stats,
}


def _version_in(path: str) -> str:
    """The version that a path of the V2 protocol names; empty if it names none."""
    found = _VERSIONED.match(path)
    return found[1] if found else ""


def _json(data: Any, status: int = _FINE) -> HttpResponse:
    return HttpResponse(status, json.dumps(data).encode())


def route(service: str, folder: str, listener: int, line: int, token: str) -> int:
    """In the router's process: answer requests at the open socket ``listener`` until the driver ends it.

    ``line`` is this end of the line to the driver, ``folder`` where the sockets of revisions are, and ``token`` the
    file of the token, if there is one.
    """
    os.chdir(folder)
    allow_connections()
    secret = Path(token).read_text(encoding="utf-8").strip() if token else ""
    ends = socket.socket(fileno=listener), socket.socket(fileno=line)
    asyncio.run(_route(service, secret, *ends))
    return 0


async def _route(service: str, secret: str, listener: socket.socket, end: socket.socket) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)  # the driver says when
    router, line = Router(service, secret), await ControlLine.of(end)
    server: HttpServer | None = None
    while message := await line.receive():
        if "table" in message:
            router.use(RoutingTable.from_json(message["table"]))
            # only now: the requests that wait after a router was killed are answered by this table
            server = server or await HttpServer.on_open_socket(router, listener)
            line.send({"generation": message["table"]["generation"]})
        elif "stop" in message:
            if server is not None:
                await server.stop(_DRAIN)
            line.send(_report(router))
            return
        else:
            line.send(_report(router))


def _report(router: Router) -> dict[str, Any]:
    """What it has counted, and the requests under way, by revision."""
    return {
        "counters": {str(number): one.as_json() for number, one in router.counters.items()},
        "under_way": {str(number): one.under_way for number, one in router.counters.items()},
    }
