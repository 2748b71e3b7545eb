"""A kettle: water that is being heated."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.model.listing import Listing


@dataclass(frozen=True)
class Kettle:
    """``degrees`` are Celsius; it boils at ``goal``."""

    name: str
    degrees: float
    goal: float = 100.0
    backend: str = "local"

    @property
    def boils(self) -> bool:
        """Whether it is hot enough."""
        return self.degrees >= self.goal


class KettleList(Listing[Kettle]):
    """Kettles, as they were when asked for."""
