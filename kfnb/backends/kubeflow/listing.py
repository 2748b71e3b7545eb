"""The runs that are asked for, in the server's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.backends.kubeflow.paging import every
from kfnb.backends.kubeflow.server import Server
from kfnb.backends.selection import Selection
from kfnb.model import RunState
from kfnb.when import rfc3339

_PAGE = 100
"""Runs in a page: each comes with all of its tasks, so that a page may be megabytes."""


def pages(server: Server, selection: Selection, experiment: str, limit: int) -> Iterator[Mapping[str, Any]]:
    """Runs, the newest first, page by page as they are taken: at least those that ``selection`` means.

    ``experiment`` is the id of the one that it names; empty for all.
    """
    return every(
        server,
        "/runs",
        "runs",
        namespace="" if experiment else server.users_namespace,
        experiment_id=experiment,
        page_size=min(max(limit, 1), _PAGE),
        sort_by="created_at desc",
        filter=filter_of(selection),
    )


def filter_of(selection: Selection) -> str:
    """The server's words for a selection, as JSON; empty for all runs. They may let more runs pass, and never fewer."""
    predicates = []
    if selection.state is not None:
        # a run that was terminated ends as FAILED there
        states = [selection.state, *([RunState.FAILED] if selection.state is RunState.CANCELED else [])]
        predicates.append(_predicate("IN", "state", string_values={"values": [str(one) for one in states]}))
    if selection.name:
        predicates.append(_predicate("IS_SUBSTRING", "display_name", string_value=selection.name))
    if selection.since is not None:
        since = rfc3339(selection.since)
        predicates.append(_predicate("GREATER_THAN_EQUALS", "created_at", timestamp_value=since))
    if selection.until is not None:
        before = rfc3339(selection.until + 1)  # whole seconds: a part of one would be lost
        predicates.append(_predicate("LESS_THAN", "created_at", timestamp_value=before))
    return json.dumps({"predicates": predicates}) if predicates else ""


def _predicate(operation: str, key: str, **value: Any) -> dict[str, Any]:
    return {"operation": operation, "key": key, **value}
