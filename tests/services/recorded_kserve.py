"""A recorded KServe as a server: what its own controller and webhooks made of what the engine wrote.

``kserve-VERSION.json.xz`` has the exchanges of each test of the suite with a real API server and that KServe (built
from its source, in Standard mode); pods were told ready or crashing by a script, as there was no kubelet. Objects that
are nobody's but kfnb's (its record, its secret) are not recorded: those are kept as any API server does.

Time passes with what is asked: each read gets the next answer of its path, until the recording's next write.
"""

from __future__ import annotations

import copy
import json
import lzma
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from object_server import Answered, Json, ObjectServer

LIVE = {"configmaps", "secrets", "serviceaccounts"}
"""The kinds that are not recorded."""
_KIND = re.compile(r"/namespaces/[^/]+/(?P<kind>[a-z]+)")
_FOLDER, _PYTHON = re.compile(r"s3://[^\"]+"), re.compile(r"python:3\.\d+-slim")

Exchange = Mapping[str, Any]


@cache
def recorded(version: str) -> dict[str, list[Exchange]]:
    """The exchanges of each test."""
    file = Path(__file__).parent / f"kserve-{version}.json.xz"
    found: dict[str, list[Exchange]] = json.loads(lzma.decompress(file.read_bytes()))
    return found


class RecordedKServe(ObjectServer):
    """The exchanges of one test as a server. ``surprises`` are requests that the recording does not have."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        super().__init__(set(LIVE))
        self._epochs, self._epoch = [*_epochs(exchanges)], 0
        self._next: dict[str, int] = {}
        self._last: dict[str, Exchange] = {}
        self.surprises: list[str] = []

    @property
    def left(self) -> list[str]:
        """The writes of the recording that did not come."""
        return [f"{one[0]['method']} {one[0]['path']}" for one in self._epochs[self._epoch + 1 :]]

    def answer(self, method: str, target: str, body: Json | None) -> tuple[int, Any]:
        if "/proxy/" in target:  # the recorded pods ran nothing that could be asked
            return 503, {
                "kind": "Status",
                "reason": "ServiceUnavailable",
                "message": "connection refused",
                "code": 503,
            }
        found = _KIND.search(target)
        if found is None or found["kind"] in LIVE:
            return super().answer(method, target, body)
        with self.lock:
            try:
                one = self._read(target) if method == "GET" else self._write(method, target, body)
            except Answered as error:
                self.surprises.append(str(error))
                return error.status, error.body
            return one["status"], copy.deepcopy(one["response"])

    def _read(self, target: str) -> Exchange:
        answers = [
            one for one in self._epochs[self._epoch] if one["method"] == "GET" and one["path"] == target
        ]
        at = self._next.get(target, 0)
        if answers:
            self._next[target] = min(at + 1, len(answers) - 1)
            self._last[target] = answers[at]
        if target not in self._last:
            raise Answered(501, "NotImplemented", f"GET {target} was not recorded")
        return self._last[target]

    def _write(self, method: str, target: str, body: Json | None) -> Exchange:
        following = self._epochs[self._epoch + 1 :]
        if not following:
            raise Answered(
                501, "NotImplemented", f"{method} {target} was not recorded: nothing more is written"
            )
        write = following[0][0]
        if (write["method"], write["path"]) != (method, target):
            message = (
                f"{method} {target} was not recorded: {write['method']} {write['path']} is what comes next"
            )
            raise Answered(501, "NotImplemented", message)
        if _essence(write["request"]) != _essence(body):
            message = f"{method} {target} was recorded with {_essence(write['request'])}, and now is {_essence(body)}"
            raise Answered(501, "NotImplemented", message)
        self._epoch, self._next = self._epoch + 1, {}
        return write


def _epochs(exchanges: Sequence[Exchange]) -> Iterator[list[Exchange]]:
    """The exchanges from one write to the next, that write first."""
    current: list[Exchange] = []
    for one in exchanges:
        if one["method"] != "GET":
            yield current
            current = []
        current.append(one)
    yield current


def _essence(body: Any) -> Any:
    """What a body asks for; digests and the Python of the image are those of the day."""
    if not isinstance(body, dict):
        return body
    metadata = body.get("metadata") or {}
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key != "kfnb/weights-changed"
    }
    found = json.dumps([body.get("spec"), metadata.get("labels"), annotations], sort_keys=True)
    return _PYTHON.sub("python:3-slim", _FOLDER.sub("s3://folder", found))
