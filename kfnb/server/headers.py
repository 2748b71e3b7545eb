"""The headers by which requests and answers are known: an id, and the version that answers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

REQUEST_ID = "x-kfnb-request-id"
VERSION = "x-kfnb-version"

_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def request_id_of(headers: Mapping[str, str]) -> str:
    """The id that a request came with, else a new one; also in the place of one that has other characters than ids."""
    given = headers.get(REQUEST_ID, "")
    return given if _ID.fullmatch(given) else os.urandom(16).hex()
