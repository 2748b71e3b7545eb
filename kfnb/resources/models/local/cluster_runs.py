"""Which runs of clusters have their saved models in the registry."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from kfnb.catalog.database import Database
from kfnb.resources.models.local.schema import FILE, SCHEMA


class ClusterRuns:
    """The runs of clusters whose saved models are registered in the registry in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / FILE, SCHEMA)

    def notes(self, run: str) -> tuple[str, ...] | None:
        """The notes for the user on what a run saved; None if that is not registered yet. Raises ``BackendError``."""
        with self._database.reading() as connection:
            found = connection.execute("select notes from cluster_runs where run = ?", (run,)).fetchone()
        return None if found is None else tuple(json.loads(found[0]))

    def add(self, run: str, notes: Sequence[str]) -> None:
        """Record a run, unless it is recorded already. Raises ``BackendError``."""
        with self._database.writing() as connection:
            connection.execute(
                "insert or ignore into cluster_runs values (?, ?, ?)",
                (run, time.time(), json.dumps(list(notes))),
            )
