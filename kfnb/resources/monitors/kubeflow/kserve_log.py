"""The requests that KServe's logger has put into the object store (``logger.storage``, from KServe 0.16 on).

An object has the JSON of one event or of several. A request and its response are two events of one id, in any object
of the service's folder; the names of objects say nothing of their time, so that it is that at which they were written.
Only responses with status 200 are logged: a request without one has failed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kfnb.remote.objects.store import ObjectInfo, ObjectStore
from kfnb.resources.services.kserve.request_log import LogFolder

_RESPONSE = "response"
_AT_ONCE, _AHEAD = 32, 512
"""Objects that are requested at the same time, and those that are in memory."""


@dataclass(frozen=True)
class LoggedEvent:
    """A request or a response, written ``at`` a time; ``canary`` if KServe says that the canary has answered."""

    id: str
    at: float
    body: bytes
    canary: bool = False


@dataclass(frozen=True)
class LoggedRequest:
    """A request with its response; None where it has failed. ``at`` is when the later of both was written."""

    request: LoggedEvent
    response: LoggedEvent | None
    at: float


def logged_requests(
    store: ObjectStore, folder: LogFolder, since: float, until: float
) -> Iterator[LoggedRequest]:
    """The requests whose response was written from ``since`` on and before ``until``, and those that have failed.

    A request is counted as failed ``delay`` seconds after it was written. Its response may have been written as long
    before it.
    """
    begun = since - folder.delay
    waiting: dict[str, tuple[bool, LoggedEvent]] = {}
    for is_response, event in _events(store, folder, begun - folder.delay, until):
        other = waiting.get(event.id)
        if other is None or other[0] is is_response:
            waiting[event.id] = is_response, event
            continue
        del waiting[event.id]
        request, response = (other[1], event) if is_response else (event, other[1])
        at = max(request.at, response.at)
        if at >= since:
            yield LoggedRequest(request, response, at)
    for is_response, event in waiting.values():
        if not is_response and begun <= event.at < until - folder.delay:
            yield LoggedRequest(event, None, event.at)


def _events(
    store: ObjectStore, folder: LogFolder, since: float, until: float
) -> Iterator[tuple[bool, LoggedEvent]]:
    """Whether each is a response, and the event; object by object in the order of their times."""
    new = [one for one in store.list_all(folder.path) if since <= one.changed < until]
    new.sort(key=lambda one: (one.changed, one.path))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(new), _AHEAD):
            some = new[start : start + _AHEAD]
            for one, content in zip(some, pool.map(lambda each: store.read(each.path), some), strict=True):
                yield from _in_object(one, content)


def _in_object(one: ObjectInfo, content: bytes) -> Iterator[tuple[bool, LoggedEvent]]:
    """The events of an object; none of one that is something else."""
    try:
        found = json.loads(content)
    except ValueError:
        return
    for event in found if isinstance(found, list) else [found]:
        if isinstance(event, Mapping) and isinstance(event.get("Id"), str):
            kind = str(event.get("ReqType", "")).rpartition(".")[2]
            canary = event.get("Endpoint") == "canary"
            yield kind == _RESPONSE, LoggedEvent(event["Id"], one.changed, _bytes(event.get("Bytes")), canary)


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text or "")
    except (TypeError, ValueError):
        return b""


def predictions_of(body: bytes) -> Sequence[Any]:
    """The predictions in a response of V1 or V2; none of any other."""
    try:
        found = json.loads(body)
        if "predictions" in found:
            return list(found["predictions"])
        (output, *_) = found["outputs"]
        return list(output["data"])
    except (ValueError, TypeError, LookupError):
        return ()
