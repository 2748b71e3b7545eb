"""Lists that the server returns in pages, and lookups by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.remote.kfp.server import KfpServer

PAGE = 50
"""Items in a page: each version of a pipeline comes with its full spec."""


def every(server: KfpServer, path: str, key: str, **query: Any) -> Iterator[Mapping[str, Any]]:
    """All items under ``key`` in the answers, page by page as they are consumed; ``PAGE`` items each by default."""
    token = ""
    while True:
        answer = server.get(path, **{"page_token": token, "page_size": PAGE, **query})
        yield from answer.get(key) or ()
        token = answer.get("next_page_token") or ""
        if not token:
            return


def called(name: str) -> str:
    """The filter of a list by name, as JSON."""
    return json.dumps({"predicates": [{"operation": 1, "key": "display_name", "stringValue": name}]})
