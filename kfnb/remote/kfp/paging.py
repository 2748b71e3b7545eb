"""Lists that the server gives in pages, and what is looked up in them by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.remote.kfp.server import Server

PAGE = 50
"""Things in a page: a version of a pipeline comes with all of its spec."""


def every(server: Server, path: str, key: str, **query: Any) -> Iterator[Mapping[str, Any]]:
    """All that is under ``key`` in the answers, page by page as they are taken; ``PAGE`` each if not said otherwise."""
    token = ""
    while True:
        answer = server.get(path, **{"page_token": token, "page_size": PAGE, **query})
        yield from answer.get(key) or ()
        token = answer.get("next_page_token") or ""
        if not token:
            return


def called(name: str) -> str:
    """The filter of a list for what has that name, as JSON."""
    return json.dumps({"predicates": [{"operation": 1, "key": "display_name", "stringValue": name}]})
