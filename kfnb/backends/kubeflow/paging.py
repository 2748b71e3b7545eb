"""Lists that the server gives in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.backends.kubeflow.server import Server

PAGE = 50
"""Things in a page: a version of a pipeline comes with all of its spec."""


def every(server: Server, path: str, key: str, **query: Any) -> Iterator[Mapping[str, Any]]:
    """All that is under ``key`` in the answers, page by page as they are taken."""
    token = ""
    while True:
        answer = server.get(path, **{"page_token": token, "page_size": PAGE, **query})
        yield from answer.get(key) or ()
        token = answer.get("next_page_token") or ""
        if not token:
            return
