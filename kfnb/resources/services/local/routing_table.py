"""Where the router sends requests: a table of the revisions that answer, which is replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from kfnb.resources.services.model import WHOLE, Role, Target


@dataclass(frozen=True)
class RoutedRevision:
    """A revision that answers, at the Unix socket of that path."""

    revision: int
    ref: str
    version: int
    role: Role
    percent: int
    socket: str

    def is_called(self, name: str) -> bool:
        """Whether a header that says ``name`` means it: a role, a version's number or a reference."""
        return name in (self.role, str(self.version), self.ref)


@dataclass(frozen=True)
class RoutingTable:
    """The revisions that answer, of a generation. The shares of all but shadows add up to 100."""

    generation: int = 0
    routes: tuple[RoutedRevision, ...] = ()
    sticky: str = ""

    @property
    def shares(self) -> dict[int, int]:
        """Percent by revision, without shadows."""
        return {one.revision: one.percent for one in self.routes if one.role != "shadow"}

    def as_json(self) -> dict[str, Any]:
        """The table as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RoutingTable:
        """The table that ``as_json`` gave."""
        routes = tuple(RoutedRevision(**one) for one in stored["routes"])
        return cls(stored["generation"], routes, stored["sticky"])


def table_of(
    generation: int, targets: Sequence[Target], sockets: Mapping[int, str], sticky: str
) -> RoutingTable:
    """The table of those ``targets`` that answer, which are in ``sockets``: what others should have got, they share."""
    routes = [
        RoutedRevision(one.revision, one.ref, one.version, one.role, one.percent, sockets[one.revision])
        for one in targets
        if one.revision in sockets
    ]
    given = sum(one.percent for one in routes)
    split = [one for one in routes if one.role != "shadow"]
    if split and given < WHOLE:
        largest = max(split, key=lambda one: one.percent)
        routes[routes.index(largest)] = replace(largest, percent=largest.percent + WHOLE - given)
    return RoutingTable(generation, tuple(routes), sticky.lower())
