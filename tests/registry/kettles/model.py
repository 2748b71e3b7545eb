"""A kettle: water that is being heated."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.entities import RunState
from kfnb.entities.listing import Listing

COLD = 20.0


@dataclass(frozen=True)
class Kettle:
    """``degrees`` are Celsius; it succeeds at ``goal``."""

    name: str
    backend: str = "local"
    state: RunState = RunState.PENDING
    degrees: float = COLD
    goal: float = 100.0
    error: str = ""
    notes: tuple[str, ...] = ()
    created: float | None = None
    started: float | None = None
    finished: float | None = None

    @property
    def boils(self) -> bool:
        """Whether it is hot enough."""
        return self.state is RunState.SUCCEEDED


class KettleList(Listing[Kettle]):
    """Kettles, as they were when asked for."""
