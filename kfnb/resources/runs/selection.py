"""The selection of runs in a list, the same for all backends."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.entities import RunSnapshot, RunState

DEFAULT_EXPERIMENT = "Default"
"""The experiment of runs that name none, as KFP calls it."""


@dataclass(frozen=True)
class Selection:
    """Runs of an ``experiment``, in a ``state``, with ``name`` in their names, created from ``since`` on and before
    ``until``. Empty values and None select all. Archived runs are only selected if ``archived``.
    """

    experiment: str = ""
    state: RunState | None = None
    name: str = ""
    since: float | None = None
    until: float | None = None
    archived: bool = False

    def fits(self, run: RunSnapshot) -> bool:
        """Whether a run is selected."""
        created = run.created or 0.0
        return (
            self.experiment in ("", run.experiment or DEFAULT_EXPERIMENT)
            and self.state in (None, run.state)
            and self.name.casefold() in run.name.casefold()  # as the databases of KFP compare
            and (self.since is None or created >= self.since)
            and (self.until is None or created < self.until)
            and (self.archived or not run.archived)
        )


LISTED = Selection()
"""All runs that are not archived."""
