"""What is answered to which path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any, TypeVar
from urllib.parse import unquote

from kfnb.server.batching import Batcher, Busy
from kfnb.server.bodies import json_bytes, json_of
from kfnb.server.column_reader import InputRows
from kfnb.server.counters import METRICS, Statistics, exposition
from kfnb.server.exchange import Exchange
from kfnb.server.findings import BadInput
from kfnb.server.headers import REQUEST_ID, VERSION, request_id_of
from kfnb.server.http_messages import INTERNAL, JSON, HttpRequest, HttpResponse, error_response
from kfnb.server.openapi import openapi_of
from kfnb.server.predictor import ModelFailed
from kfnb.server.protocol_v1 import read_v1
from kfnb.server.protocol_v2 import (
    HEADER_LENGTH,
    output_tensors_of,
    read_v2,
    split_body,
    tensors_of,
    write_v2,
)
from kfnb.server.request_log import RequestLog
from kfnb.server.served import Served
from kfnb.server.server_log import report
from kfnb.server.tables import BadRequest

_LARGE = 100_000
"""Bytes of a body that is read in a thread."""
_MANY = 1000
"""Rows whose answer is written in a thread."""
_EXTENSIONS = ["binary_tensor_data"]

T = TypeVar("T")
Route = Callable[[HttpRequest, Exchange], Awaitable[HttpResponse]]


class App:
    """Answers requests about one model, and has those for predictions kept in ``log``."""

    def __init__(self, served: Served, log: RequestLog | None = None) -> None:
        self.statistics = Statistics()
        self._log = log
        self._served, self._inputs = served, served.inputs
        self._batcher = Batcher(served.predict, served.lock, together=served.warm())
        self._reading = ThreadPoolExecutor(1, "read")
        self._explaining = ThreadPoolExecutor(1, "explain")
        self._routes = self._routes_of(served.name, served.version)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; it is counted, and has an id."""
        exchange = Exchange(request_id_of(request.headers), size=len(request.body))
        path = unquote(request.path)
        verb = next((one for one, ends in _VERBS.items() if path.endswith(ends)), "other")
        try:
            response = await self._routed(request, exchange, path)
        except (BadInput, BadRequest, ModelFailed, Busy) as error:
            response = self._failed(error, exchange)
        except Exception as error:
            report(error)
            response = error_response(500, "internal", INTERNAL)
            exchange.code = "internal"
            self.statistics.count_failure(exchange.id, 500, "internal", type(error).__name__)
        self.statistics.count(verb, response.status, exchange.ended(response.status))
        if self._log is not None and verb == "predict":
            exchange.body = request.body if exchange.bad else b""
            self._log.keep(exchange)
        headers = {
            **response.headers,
            REQUEST_ID: exchange.id,
            VERSION: self._served.version,
        }
        return replace(response, headers=headers)

    async def _routed(self, request: HttpRequest, exchange: Exchange, path: str) -> HttpResponse:
        routes = self._routes.get(path)
        if routes is None:
            raise BadRequest(self._nothing_at(path), "not-found", 404)
        route = routes.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            allowed = {"allow": ", ".join(routes)}
            return error_response(405, "wrong-method", f"use {' or '.join(routes)} with this path", allowed)
        return await route(request, exchange)

    def _nothing_at(self, path: str) -> str:
        """Why nothing is answered there."""
        found, name = re.match(r"/v[12]/models/([^/:]+)", path), self._served.name
        if found and found[1] != name:
            return f"no model {found[1]} here, only {name}"
        if found:
            return f"there is nothing at this path; predict with /v1/models/{name}:predict or /v2/models/{name}/infer"
        return "there is nothing at this path"

    def _routes_of(self, name: str, version: str) -> Mapping[str, Mapping[str, Route]]:
        v1, v2 = f"/v1/models/{name}", f"/v2/models/{name}"
        document = openapi_of(name, self._inputs, self._shape())
        metadata = {
            "name": name,
            "versions": [version],
            "platform": f"kfnb_{self._served.folder.facts.get('format', '')}",
            "inputs": tensors_of(self._inputs, self._shape()),
            "outputs": output_tensors_of(self._served.folder.facts.get("outputs") or ()),
        }
        server = {"name": "kfnb", "version": version, "extensions": _EXTENSIONS}
        routes: dict[str, dict[str, Route]] = {
            "/": {"GET": _fixed({"status": "alive"})},
            "/v1/models": {"GET": _fixed({"models": [name]})},
            v1: {"GET": _fixed({"name": name, "ready": True})},
            f"{v1}:predict": {"POST": self._predict_v1},
            f"{v1}:explain": {"POST": self._explain_v1},
            "/v2": {"GET": _fixed(server)},
            "/v2/health/live": {"GET": _fixed({"live": True})},
            "/v2/health/ready": {"GET": _fixed({"ready": True})},
            "/metrics": {"GET": self._metrics},
            "/openapi.json": {"GET": _fixed(document)},
            "/kfnb/stats": {"GET": self._stats},
        }
        for place in (v2, f"{v2}/versions/{version}"):
            routes[place] = {"GET": _fixed(metadata)}
            routes[f"{place}/ready"] = {"GET": _fixed({"name": name, "ready": True})}
            routes[f"{place}/infer"] = {"POST": self._infer_v2}
        return routes

    def _shape(self) -> list[int]:
        found = self._served.folder.facts.get("inputs") or [{}]
        return [int(one) for one in found[0].get("shape", ())]

    # -- predict and explain

    async def _predict_v1(self, request: HttpRequest, exchange: Exchange) -> HttpResponse:
        rows = await self._rows_v1(request)
        predictions = await self._predict(rows, exchange)
        content = await self._aside(rows.count > _MANY, lambda: json_bytes({"predictions": predictions}))
        return HttpResponse(200, content, headers=_taken(rows))

    async def _explain_v1(self, request: HttpRequest, _: Exchange) -> HttpResponse:
        rows = await self._rows_v1(request)
        loop, gone = asyncio.get_running_loop(), Event()
        try:
            explain = partial(self._served.explainer.explain, rows, gone.is_set)
            found = await loop.run_in_executor(self._explaining, explain)
        finally:
            gone.set()  # a thread is not cancelled with its request: it ends after the row
        return HttpResponse(200, json_bytes(found), headers=_taken(rows))

    async def _infer_v2(self, request: HttpRequest, exchange: Exchange) -> HttpResponse:
        length = request.headers.get(HEADER_LENGTH)
        kind = request.headers.get("content-type", "") if length is None else ""

        def read() -> tuple[dict[str, Any], InputRows]:
            text, rest = split_body(request.body, length)
            body = json_of(text, kind)
            return body, read_v2(body, rest, self._inputs)

        body, rows = await self._aside(len(request.body) > _LARGE, read)
        predictions = await self._predict(rows, exchange)
        name, version = self._served.name, self._served.version
        content, head = await self._aside(
            rows.count > _MANY, lambda: write_v2(name, version, body, predictions)
        )
        headers = {**_taken(rows), **({HEADER_LENGTH: head} if head else {})}
        return HttpResponse(200, content, "application/octet-stream" if head else JSON, headers)

    async def _rows_v1(self, request: HttpRequest) -> InputRows:
        kind = request.headers.get("content-type", "")
        return await self._aside(
            len(request.body) > _LARGE, lambda: read_v1(json_of(request.body, kind), self._inputs)
        )

    async def _predict(self, rows: InputRows, exchange: Exchange) -> Any:
        self.statistics.count_bad(rows.findings.counts)
        exchange.rows, exchange.bad = rows, rows.findings.counts
        predicted = exchange.predicted = await self._batcher.predict(rows)
        self.statistics.rows += rows.count
        return predicted.values

    async def _aside(self, large: bool, work: Callable[[], T]) -> T:
        """The outcome of work that is done in a thread if it is large, so that others are answered meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, work) if large else work()

    # -- what is counted

    async def _metrics(self, _: HttpRequest, __: Exchange) -> HttpResponse:
        labels = {"name": self._served.name, "version": self._served.version}
        return HttpResponse(200, exposition(self.statistics, labels).encode(), METRICS)

    async def _stats(self, _: HttpRequest, __: Exchange) -> HttpResponse:
        batches = {
            "together": self._batcher.together,
            "batches": self._batcher.batches,
            "requests": self._batcher.requests,
        }
        log = {} if self._log is None else {"log": self._log.as_json()}
        return HttpResponse(200, json_bytes({**self.statistics.as_json(), "batching": batches, **log}))

    def _failed(self, error: Exception, exchange: Exchange) -> HttpResponse:
        """The answer for an error, which is counted."""
        if isinstance(error, BadInput):
            self.statistics.count_bad(error.findings.counts)
            exchange.bad = error.findings.counts
            failure = 422, "bad-input", error.findings.kinds()
            body = {"error": str(error), "code": "bad-input", "problems": error.findings.shown}
            response = HttpResponse(422, json_bytes(body))
        elif isinstance(error, BadRequest):
            failure = error.status, error.code, ""
            response = error_response(error.status, error.code, error.message)
        elif isinstance(error, ModelFailed):
            report(error.error)
            failure = 500, "model-failed", str(error)
            response = error_response(
                500, "model-failed", f"{error}: {str(error.error).partition(chr(10))[0][:200]}"
            )
        else:
            failure = 503, "busy", ""
            response = error_response(
                503, "busy", "too many requests are waiting; try again", {"retry-after": "1"}
            )
        exchange.code = failure[1]
        self.statistics.count_failure(exchange.id, *failure)
        return response


_VERBS = {"predict": (":predict", "/infer"), "explain": (":explain",)}


def _fixed(content: Mapping[str, Any]) -> Route:
    response = HttpResponse(200, json_bytes(content))

    async def fixed(_: HttpRequest, __: Exchange) -> HttpResponse:
        return response

    return fixed


def _taken(rows: InputRows) -> dict[str, str]:
    """How many bad inputs were taken all the same, or imputed."""
    count = sum(rows.findings.counts.values())
    return {"x-kfnb-bad-inputs": str(count)} if count else {}
