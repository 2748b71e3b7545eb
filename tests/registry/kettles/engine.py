"""What an engine of kettles is."""

from __future__ import annotations

from typing import Protocol

from tests.registry.kettles.model import Kettle


class Engine(Protocol):
    """Where kettles stand."""

    def put_on(self, name: str, goal: float) -> None:
        """Put a kettle on."""

    def get(self, name: str) -> Kettle:
        """A kettle as it is now. Raises ``BackendError``."""

    def list(self) -> list[Kettle]:
        """All kettles."""

    def take_off(self, name: str) -> None:
        """Take a kettle off. Raises ``BackendError``."""
