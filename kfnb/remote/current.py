"""The connection for the settings as they are now, kept until they change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What is closed once it is replaced."""

    def close(self) -> object:
        """Close what was opened, such as port-forwards."""
        ...


T = TypeVar("T", bound=Closable)


class Current(Generic[T]):
    """One connection, used by all threads; a connection for other settings takes its place and closes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: object = None
        self._connection: T | None = None

    def get(self, settings: object, connect: Callable[[], T]) -> T:
        """The connection for ``settings``, made by ``connect`` where they have changed."""
        with self._lock:
            if self._connection is None or self._settings != settings:
                before, self._connection = self._connection, None
                if before is not None:
                    before.close()
                self._settings, self._connection = settings, connect()
            return self._connection
