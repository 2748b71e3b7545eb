"""The runs that are asked for, in the server's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from kfnb.backends.kubeflow.paging import every
from kfnb.backends.kubeflow.server import Server
from kfnb.backends.kubeflow.states import seconds
from kfnb.model import RunState
from kfnb.resources.runs.selection import Selection

_PAGE = 100
"""Runs in a page: each comes with all of its tasks, so that a page may be megabytes."""


def pages(server: Server, selection: Selection, experiment: str, limit: int) -> Iterator[Mapping[str, Any]]:
    """Runs, the newest first, page by page as they are taken: at least those that ``selection`` means.

    ``experiment`` is the id of the one that it names; empty for all.
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
    """The server's words for a selection, as JSON; empty for all runs. They may let more runs pass, and never fewer.

    KFP 2.17 answers the second page only where all values are plain strings: for IN and for times it takes its own
    page token for another list's.
    """
    predicates = [] if selection.state is None else _states(selection.state)
    if selection.name:
        predicates.append(_predicate("IS_SUBSTRING", "display_name", selection.name))
    return json.dumps({"predicates": predicates}) if predicates else ""


def _states(state: RunState) -> list[dict[str, Any]]:
    if state is RunState.CANCELED:  # a run that was terminated ends as FAILED there
        return [_predicate("NOT_EQUALS", "state", str(RunState.SUCCEEDED))]
    if state is RunState.PENDING:  # a run may have no state before it has begun
        ended = (RunState.SUCCEEDED, RunState.FAILED)
        return [_predicate("NOT_EQUALS", "state", str(one)) for one in ended]
    return [_predicate("EQUALS", "state", str(state))]


def _too_old(answer: Mapping[str, Any], since: float | None) -> bool:
    created = seconds(answer.get("created_at"))
    return since is not None and created is not None and created < since


def _predicate(operation: str, key: str, value: str) -> dict[str, Any]:
    return {"operation": operation, "key": key, "string_value": value}
