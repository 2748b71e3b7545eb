"""Kettles of a server, over HTTP."""

from __future__ import annotations

import builtins
import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.model import RunState
from tests.registry.kettles.model import Kettle


class RemoteEngine:
    """Kettles at an address."""

    name = "kubeflow"

    def __init__(self, address: str) -> None:
        self._address = address

    def put_on(self, name: str, goal: float, seconds: float) -> None:
        """Ask the server to."""
        self._ask("POST", f"/kettles/{name}", {"goal": goal, "seconds": seconds})

    def get(self, name: str) -> Kettle:
        """Ask the server."""
        return _kettle(self._ask("GET", f"/kettles/{name}"))

    def list(self) -> builtins.list[Kettle]:
        """Ask the server."""
        return [_kettle(one) for one in self._ask("GET", "/kettles")]

    def stop(self, name: str) -> None:
        """Ask the server to."""
        self._ask("POST", f"/kettles/{name}/stop", {})

    def take_off(self, name: str) -> None:
        """Ask the server to."""
        self._ask("DELETE", f"/kettles/{name}")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self._address + path, data, method=method), timeout=5) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise BackendError(f"unknown kettle {path.split('/')[2]} ({error.code})") from None
        except URLError as error:
            raise BackendUnavailable(f"{self._address} does not answer: {error.reason}") from None


def _kettle(told: dict[str, Any]) -> Kettle:
    state = RunState(told["state"])
    return Kettle(told["name"], "kubeflow", state, told["degrees"], told["goal"])
