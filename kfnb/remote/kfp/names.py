"""The names of a server's resources, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.kfp.server import KfpServer


class ResourceNames:
    """The names of the resources below ``path`` (``/experiments``), each requested once."""

    def __init__(self, server: KfpServer, path: str) -> None:
        self._server, self._path = server, path
        self._known: dict[str, str] = {}

    def remember(self, identifier: str, name: str) -> None:
        """Add a name that is known from another answer."""
        self._known[identifier] = name

    def of(self, identifier: str) -> str:
        """The name of a resource; its id if the name is unknown."""
        if identifier and identifier not in self._known:
            try:
                self.remember(
                    identifier, name_in(self._server.get(f"{self._path}/{identifier}")) or identifier
                )
            except BackendUnavailable:
                return identifier
            except BackendError:
                self.remember(identifier, identifier)  # deleted, or another user's
        return self._known.get(identifier, "")


def name_in(answer: Mapping[str, Any]) -> str:
    """The name of a resource as users see it; older servers have it under another key."""
    return str(answer.get("display_name") or answer.get("name") or "")
