"""Kettles of a server, over HTTP."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from kfnb.errors import BackendError, BackendUnavailable
from tests.registry.kettles.model import Kettle


class RemoteEngine:
    """Kettles at an address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def put_on(self, name: str, goal: float) -> None:
        """Ask the server to."""
        self._ask("POST", f"/kettles/{name}", {"goal": goal})

    def get(self, name: str) -> Kettle:
        """Ask the server."""
        return Kettle(**self._ask("GET", f"/kettles/{name}"), backend="kubeflow")

    def list(self) -> list[Kettle]:
        """Ask the server."""
        return [Kettle(**one, backend="kubeflow") for one in self._ask("GET", "/kettles")]

    def take_off(self, name: str) -> None:
        """Ask the server to."""
        self._ask("DELETE", f"/kettles/{name}")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self._address + path, data, method=method), timeout=5) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise BackendError(f"unknown kettle {path.rsplit('/', 1)[-1]} ({error.code})") from None
        except URLError as error:
            raise BackendUnavailable(f"{self._address} does not answer: {error.reason}") from None
