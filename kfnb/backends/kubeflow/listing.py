"""Which runs are asked for, and the pages in which the server gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from kfnb.backends.kubeflow.server import Server
from kfnb.model import RunState

_PAGE = 100
"""Runs in a page: each comes with all of its tasks, so that a page may be megabytes."""


@dataclass(frozen=True)
class Wanted:
    """Runs of a ``state``, with ``name`` in their names, made after ``since`` and before ``until`` (in seconds).

    ``experiment`` is an id. Those that were archived are only among them if ``archived``.
    """

    experiment: str = ""
    state: RunState | None = None
    name: str = ""
    since: float | None = None
    until: float | None = None
    archived: bool = False

    @property
    def filter(self) -> str:
        """The server's words for it, as JSON; empty for all runs."""
        parts = [
            _predicate("IN", "state", string_values={"values": [str(state) for state in self._states]})
            if self._states
            else None,
            _predicate("IS_SUBSTRING", "display_name", string_value=self.name) if self.name else None,
            _predicate("GREATER_THAN_EQUALS", "created_at", timestamp_value=_text(self.since))
            if self.since is not None
            else None,
            _predicate("LESS_THAN", "created_at", timestamp_value=_text(self.until))
            if self.until is not None
            else None,
        ]
        predicates = [part for part in parts if part]
        return json.dumps({"predicates": predicates}) if predicates else ""

    @property
    def _states(self) -> list[RunState]:
        if self.state is None:
            return []
        # a run that was terminated ends as FAILED there
        return [self.state, *([RunState.FAILED] if self.state is RunState.CANCELED else [])]


def pages(server: Server, wanted: Wanted, limit: int) -> Iterator[Mapping[str, Any]]:
    """Runs, the newest first, page by page as they are taken."""
    token = ""
    while True:
        answer = server.get(
            "/runs",
            namespace="" if wanted.experiment else server.users_namespace,
            experiment_id=wanted.experiment,
            page_token=token,
            page_size=min(max(limit, 1), _PAGE),
            sort_by="created_at desc",
            filter=wanted.filter,
        )
        for run in answer.get("runs") or ():
            if wanted.archived or run.get("storage_state") != "ARCHIVED":
                yield run
        token = answer.get("next_page_token") or ""
        if not token:
            return


def _predicate(operation: str, key: str, **value: Any) -> dict[str, Any]:
    return {"operation": operation, "key": key, **value}


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
