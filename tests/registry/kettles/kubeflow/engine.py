"""The engine of kettles on a server, over HTTP."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from typing import Any

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs.polling import Pace
from kfnb.remote.http import Http, Request
from tests.registry.kettles.model import Kettle


class KubeflowKettleEngine:
    """Kettles at an address."""

    name = "kubeflow"
    pace = Pace(0.05, 0.5)

    def __init__(self, address: str) -> None:
        self._address, self._http = address, Http()

    def put_on(self, name: str, goal: float, seconds: float) -> None:
        """Create a kettle on the server."""
        self._send("POST", f"/kettles/{name}", {"goal": goal, "seconds": seconds})

    def get(self, name: str) -> Kettle:
        """Read a kettle."""
        return _kettle(self._send("GET", f"/kettles/{name}"))

    def list(self) -> builtins.list[Kettle]:
        """Read all kettles."""
        return [_kettle(one) for one in self._send("GET", "/kettles")]

    def stop(self, name: str) -> None:
        """Stop a kettle."""
        self._send("POST", f"/kettles/{name}/stop", {})

    def take_off(self, name: str) -> None:
        """Delete a kettle."""
        self._send("DELETE", f"/kettles/{name}")

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        answer = self._http.send(Request(method, self._address + path, data))  # raises BackendUnavailable
        if not answer.fine:
            raise BackendError(f"unknown kettle {path.split('/')[2]} ({answer.status})")
        return json.loads(answer.body)


def _kettle(data: Mapping[str, Any]) -> Kettle:
    state = RunState(data["state"])
    return Kettle(data["name"], "kubeflow", state, data["degrees"], data["goal"])
