"""The handle of a kettle."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kfnb.live.named_handle import NamedHandle
from tests.registry.kettles.engine import KettleEngine
from tests.registry.kettles.model import Kettle


class KettleHandle(NamedHandle[KettleEngine]):
    """A kettle, whichever engine heats it."""

    def snapshot(self) -> Kettle:
        """The kettle as it is now."""
        return self._engine.get(self.name)

    def updates(self) -> Iterator[Kettle]:
        """The kettle again and again, until it is finished."""
        while not (now := self.snapshot()).state.finished:
            yield now
            time.sleep(self.pace.shortest)
        yield now

    def wait(self) -> KettleHandle:
        """Wait until it is finished."""
        for _ in self.updates():
            pass
        return self

    def stop(self) -> None:
        """Stop heating it."""
        self._engine.stop(self.name)

    def take_off(self) -> None:
        """Take it off."""
        self._engine.take_off(self.name)
