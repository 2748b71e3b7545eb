"""What the handles of studies, services and their like have in common: an engine that knows them by name."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from kfnb.jobs.polling import Pace


class NamedEngine(Protocol):
    """An engine of what can be followed by name."""

    name: str

    @property
    def pace(self) -> Pace:
        """How often one may be polled."""
        ...


E = TypeVar("E", bound=NamedEngine)


class NamedHandle(Generic[E]):
    """The handle of what ``engine`` calls ``name``."""

    def __init__(self, engine: E, name: str) -> None:
        self._engine = engine
        self.name = name

    @property
    def backend(self) -> str:
        """The name of the backend that it is on."""
        return self._engine.name

    @property
    def pace(self) -> Pace:
        """How often it may be polled."""
        return self._engine.pace
