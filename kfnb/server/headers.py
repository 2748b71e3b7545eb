"""The headers by which requests and answers are known: an id, and the version that answers."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping

REQUEST_ID = "x-kfnb-request-id"
VERSION = "x-kfnb-version"
EVENT_ID = "ce-id"
"""The header by which KServe's logger knows a request."""

_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_MADE = re.compile(r"[0-9a-f]{32}")


def request_id_of(headers: Mapping[str, str]) -> str:
    """The id that a request came with, else a new one; also in the place of one that has other characters than ids.

    A new one begins with the time, so that it is known in which files of a log the request is.
    """
    given = headers.get(REQUEST_ID, "")
    return given if _ID.fullmatch(given) else f"{int(time.time() * 1000):012x}{os.urandom(10).hex()}"


def time_of(request_id: str) -> float | None:
    """When a request came, in seconds since 1970, by an id that was made for it; None for any other."""
    return int(request_id[:12], 16) / 1000 if _MADE.fullmatch(request_id) else None
