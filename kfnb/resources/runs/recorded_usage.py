"""What the runs of the home occupied, as the index has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from kfnb.catalog.index import Index
from kfnb.catalog.occupied import former, of_runs
from kfnb.entities import Amounts, Purpose
from kfnb.settings import settings


def recorded_usage(runs: Iterable[str]) -> dict[str, dict[Purpose, Amounts]]:
    """What runs occupied that have ended, by their ids; those of which that is known. Raises ``BackendError``."""
    with _index() as connection:
        return dict(of_runs(connection, runs))


def former_runs(pipeline: str) -> list[Mapping[Purpose, Amounts]]:
    """What the newest runs of a pipeline occupied that succeeded here. Raises ``BackendError``."""
    with _index() as connection:
        return list(former(connection, pipeline))


@contextmanager
def _index() -> Iterator[Connection]:
    from kfnb.resources.runs.local.traces import RunRecords

    home = Path(settings().home)
    with Index(home, [RunRecords(home)]).reading() as connection:
        yield connection
