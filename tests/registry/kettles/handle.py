"""The handle of a kettle."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.registry.kettles.engine import Engine
from tests.registry.kettles.model import Kettle


class KettleHandle:
    """A kettle, wherever it stands."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = name

    def snapshot(self) -> Kettle:
        """The kettle as it is now."""
        return self._engine.get(self.name)

    def looks(self) -> Iterator[Kettle]:
        """The kettle again and again, until it boils."""
        while not (now := self.snapshot()).boils:
            yield now
            time.sleep(0.05)
        yield now

    def wait(self) -> KettleHandle:
        """Wait until it boils."""
        for _ in self.looks():
            pass
        return self

    def take_off(self) -> None:
        """Take it off."""
        self._engine.take_off(self.name)
