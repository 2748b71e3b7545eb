"""What a server keeps of recurring runs, made up in the recorded form: they are made, listed, paused and deleted."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

_PLACE = "/apis/v2beta1/recurringruns"
_RUNS = "/apis/v2beta1/runs"


class RecurringShelf:
    """The recurring runs of a replay; to be its ``invented``. ``started`` are the runs that were asked for."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        self.started: list[dict[str, Any]] = []

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        place, _, action = urlsplit(path).path.partition(":")
        if (method, place) == ("POST", _RUNS):
            self.started.append(body)
            return 200, {"run_id": str(uuid.uuid4()), **body}
        if not place.startswith(_PLACE):
            return None
        if place == _PLACE:
            return self._all(method, body)
        return self._one(method, place.rpartition("/")[2], action)

    def _all(self, method: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"recurringRuns": list(self._kept.values())}
        made = {"recurring_run_id": str(uuid.uuid4()), "created_at": "2026-11-23T18:28:59Z", **body}
        self._kept[made["recurring_run_id"]] = made
        return 200, made

    def _one(self, method: str, name: str, action: str) -> tuple[int, Any]:
        if name not in self._kept:
            return 404, {"code": 5, "message": f"RecurringRun {name} not found"}
        if method == "DELETE":
            return 200, self._kept.pop(name) and {}
        if action:
            self._kept[name]["mode"] = "ENABLE" if action == "enable" else "DISABLE"
            return 200, {}
        return 200, self._kept[name]
