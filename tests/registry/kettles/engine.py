"""What an engine of kettles is."""

from __future__ import annotations

import builtins
from typing import Protocol

from kfnb.jobs.polling import Pace
from tests.registry.kettles.model import Kettle


class KettleEngine(Protocol):
    """Where kettles are heated. Errors are ``BackendError``."""

    name: str
    pace: Pace

    def put_on(self, name: str, goal: float, seconds: float) -> None:
        """Put a kettle on, which takes so many seconds."""

    def get(self, name: str) -> Kettle:
        """A kettle as it is now."""

    def list(self) -> builtins.list[Kettle]:
        """All kettles."""

    def stop(self, name: str) -> None:
        """Stop heating a kettle; harmless when it is finished."""

    def take_off(self, name: str) -> None:
        """Take a finished kettle off."""
