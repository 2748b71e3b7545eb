"""Asks a service over HTTP, here and on a cluster alike."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.errors import BackendError, ServiceFailed, Unauthenticated, UsageError
from kfnb.remote.errors import NoAnswer
from kfnb.remote.http import Answer, Http, Request, Transport
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.services.engine import ServiceAddress
from kfnb.resources.services.rows import instances
from kfnb.server.headers import EVENT_ID, REQUEST_ID, VERSION, request_id_of

_MOST_ROWS = {"predict": 5000, "explain": 100}
"""Rows of a request; more are sent in several."""
_TIMEOUT = RetryPolicy(tries=6, read=300.0, deadline=600.0)
_LATER = frozenset({429, 502, 503})
"""Statuses after which the same request may succeed: a version starts again, or many requests wait."""
_REFUSED_ROWS = (400, 413, 422)
_REFUSED_USER, _FORBIDDEN = (401, 403), 403
_ISTIO = b"RBAC: access denied"
"""What Istio answers in the place of a service."""
_NOT_FOUND = 404


@dataclass(frozen=True)
class ServedAnswer:
    """What a service answered to a request of some rows: by which version, and under which id."""

    id: str
    version: str
    content: Sequence[Any] = field(repr=False)


class ServiceClient:
    """Sends rows to the service ``name``.

    ``address`` gives its address for a version and a verb, at first and after it has moved.
    """

    def __init__(self, name: str, address: Callable[[str, str], ServiceAddress]) -> None:
        self._name, self._address = name, address
        self._known: dict[tuple[str, str], tuple[ServiceAddress, Http]] = {}
        self._lock = threading.Lock()

    def ask(self, verb: str, rows: Any, version: str = "") -> list[ServedAnswer]:
        """The answers for some rows, in order. ``verb`` is predict or explain.

        ``version`` is the one that has to answer: default, canary, shadow, a number or a reference. Raises
        ``UsageError`` for rows that the service refuses, ``ServiceFailed`` and ``BackendError``.
        """
        given = instances(rows)
        most = _MOST_ROWS[verb]
        pieces = [given[at : at + most] for at in range(0, len(given), most)] or [[]]
        return [self._ask(verb, piece, version) for piece in pieces]

    def _ask(self, verb: str, piece: list[Any], version: str) -> ServedAnswer:
        id = request_id_of({})
        headers = {REQUEST_ID: id, EVENT_ID: id, **({VERSION: version} if version else {})}
        answer, address = self._post(verb, piece, version, headers)
        if not answer.fine:
            raise self._refusal(answer, address.denied)
        try:
            content = address.protocol.content(json.loads(answer.body), verb)
        except (ValueError, KeyError, TypeError):
            raise ServiceFailed(
                f"service {self._name} answered something else than JSON", ref=self._name
            ) from None
        return ServedAnswer(answer.headers.get(REQUEST_ID, id), answer.headers.get(VERSION, ""), content)

    def _post(
        self, verb: str, piece: list[Any], version: str, own: Mapping[str, str]
    ) -> tuple[Answer, ServiceAddress]:
        """Send some rows, once more where the service has another address by now; the answer, and who gave it."""
        with self._lock:
            known = self._known.get((version, verb))
        if known is not None:
            try:
                return self._send(known, verb, piece, own), known[0]
            except NoAnswer as error:
                if error.sent:
                    raise
                known[1].close()
        address = self._address(version, verb)
        transport = Transport(ca=address.ca, verify=address.verify)
        known = address, Http(transport=lambda: transport, retry=_TIMEOUT, later=_LATER)
        with self._lock:
            self._known[version, verb] = known
        return self._send(known, verb, piece, own), address

    def _send(
        self, known: tuple[ServiceAddress, Http], verb: str, piece: list[Any], own: Mapping[str, str]
    ) -> Answer:
        address, http = known
        path = address.protocol.path(self._name, verb)
        body = json.dumps(address.protocol.request(piece), allow_nan=False).encode()
        headers = {"content-type": "application/json", **address.headers, **own}
        return http.send(Request("POST", address.url.rstrip("/") + path, body, headers, again=True))

    def _refusal(self, answer: Answer, denied: str) -> BackendError | UsageError | ServiceFailed:
        """The error for an answer that is one."""
        message, code = _error_of(answer)
        text = f"service {self._name}: {message}"
        if answer.status in _REFUSED_ROWS or code == "unknown-version":
            return UsageError(text, code="invalid-argument", ref=self._name)
        if answer.status == _FORBIDDEN and _ISTIO in answer.body:
            return Unauthenticated(
                f"service {self._name}: {_ISTIO.decode()} (403)", hint=denied, ref=self._name
            )
        if answer.status in _REFUSED_USER:
            return Unauthenticated(text, ref=self._name)
        if answer.status == _NOT_FOUND:
            return BackendError(text, code="not-found", ref=self._name)
        return ServiceFailed(text, hint=f"%kf_logs {self._name} shows what it wrote", ref=self._name)


def _error_of(answer: Answer) -> tuple[str, str]:
    """What an answer says went wrong, and its code."""
    try:
        found = json.loads(answer.body)
        return str(found["error"]), str(found.get("code", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {answer.status}", ""
