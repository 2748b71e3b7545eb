"""Selections of runs as filters of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from kfnb.entities import RunState
from kfnb.remote.kfp.paging import every
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.selection import Selection
from kfnb.text.timestamps import seconds

_PAGE = 100
"""Runs in a page: each comes with all of its tasks, so that a page may be megabytes."""


def pages(
    server: KfpServer, selection: Selection, experiment: str, limit: int
) -> Iterator[Mapping[str, Any]]:
    """Runs, the newest first, page by page as they are consumed: at least those of ``selection``.

    ``experiment`` is the id of its experiment; empty for all.
    """
    found = every(
        server,
        "/runs",
        "runs",
        namespace="" if experiment else server.users_namespace,
        experiment_id=experiment,
        page_size=min(max(limit, 1), _PAGE),
        sort_by="created_at desc",
        filter=filter_of(selection),
    )
    return takewhile(lambda answer: not _too_old(answer, selection.since), found)


def filter_of(selection: Selection) -> str:
    """The server's filter for a selection, as JSON; empty for all runs. It may select more runs, but never fewer.

    KFP 2.17 only answers the second page if all values are plain strings: for IN and for times it rejects its own
    page token as another list's.
    """
    predicates = [] if selection.state is None else _states(selection.state)
    if selection.name:
        predicates.append(_predicate("IS_SUBSTRING", "display_name", selection.name))
    return json.dumps({"predicates": predicates}) if predicates else ""


def of_schedule(recurring_run_id: str) -> str:
    """The server's filter for the runs that a recurring run has started, as JSON."""
    return json.dumps({"predicates": [_predicate("EQUALS", "recurring_run_id", recurring_run_id)]})


def _states(state: RunState) -> list[dict[str, Any]]:
    if state is RunState.CANCELED:  # a terminated run ends as FAILED there
        return [_predicate("NOT_EQUALS", "state", str(RunState.SUCCEEDED))]
    if state is RunState.PENDING:  # a run may have no state before it starts
        ended = (RunState.SUCCEEDED, RunState.FAILED)
        return [_predicate("NOT_EQUALS", "state", str(one)) for one in ended]
    return [_predicate("EQUALS", "state", str(state))]


def _too_old(answer: Mapping[str, Any], since: float | None) -> bool:
    created = seconds(answer.get("created_at"))
    return since is not None and created is not None and created < since


def _predicate(operation: str, key: str, value: str) -> dict[str, Any]:
    return {"operation": operation, "key": key, "string_value": value}
