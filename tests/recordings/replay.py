"""A recorded API server as a server: what real controllers and webhooks made of what kfnb wrote.

Time passes with what is asked: each read gets the next answer of its path after those that other reads have got, until
the recording's next write.
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

from tests.services.object_server import Answered, Json, ObjectServer

KIND = re.compile(r"/namespaces/[^/]+/(?P<kind>[a-z]+)")
SINCE = re.compile(r"&?sinceTime=[^&]*")
"""Of the log of a pod, all that it had written is recorded."""

Exchange = Mapping[str, Any]


@cache
def recorded(file: Path) -> dict[str, Any]:
    """What is recorded of each test: its exchanges, unless there is more of it."""
    found: dict[str, Any] = json.loads(lzma.decompress(file.read_bytes()))
    return found


def write_recording(file: Path, found: Mapping[str, Any]) -> None:
    """Keep what ``recorded`` reads."""
    content = json.dumps(found, separators=(",", ":")).encode()
    file.write_bytes(lzma.compress(content, preset=9))


def kind_of(target: str) -> str:
    """The kind of a namespace's objects that is asked for; empty for what is not a namespace's."""
    found = KIND.search(target)
    return found["kind"] if found else ""


class RecordedExchanges(ObjectServer):
    """The exchanges of one test as a server. ``surprises`` are requests that the recording does not have.

    Objects of the kinds ``live`` are not recorded: they are kept as any API server does.
    """

    def __init__(self, exchanges: Sequence[Exchange], live: set[str]) -> None:
        super().__init__(set(live))
        self._epochs, self._epoch = [*_epochs(exchanges)], 0
        self._now = 0
        self._last: dict[str, Exchange] = {}
        self.surprises: list[str] = []

    @property
    def left(self) -> list[str]:
        """The writes of the recording that did not come."""
        return [f"{one[0]['method']} {one[0]['path']}" for one in self._epochs[self._epoch + 1 :]]

    def essence(self, body: Any) -> Any:
        """What a body asks for, without what is of the day of the recording."""
        return body

    def answer(self, method: str, target: str, body: Json | None) -> tuple[int, Any]:
        target = SINCE.sub("", target)
        if kind_of(target) in self.kinds:
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
            (at, one)
            for at, one in enumerate(self._epochs[self._epoch])
            if one["method"] == "GET" and one["path"] == target
        ]
        if answers:
            at, found = next((each for each in answers if each[0] > self._now), answers[-1])
            self._now = max(self._now, at)
            self._last[target] = found
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
        before, now = self.essence(write["request"]), self.essence(body)
        if before != now:
            message = f"{method} {target} was recorded with {before}, and now is {now}"
            raise Answered(501, "NotImplemented", message)
        self._epoch, self._now = self._epoch + 1, 0
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
