"""Groups of runs."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.entities import Listing


@dataclass(frozen=True)
class Experiment:
    """A group of runs: its name, its creation time and the time of its last run."""

    id: str
    name: str
    description: str = ""
    created: float | None = None
    last_run: float | None = None


class ExperimentList(Listing[Experiment]):
    """Experiments at the time of the request."""
