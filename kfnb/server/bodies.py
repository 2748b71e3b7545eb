"""The JSON of requests and responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kfnb.server.tables import BadRequest

_JSON_TYPES = ("application/json", "application/vnd.api+json", "text/json")


def json_of(body: bytes, content_type: str) -> dict[str, Any]:
    """The object in a body. Raises ``BadRequest``."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind not in _JSON_TYPES and not kind.endswith("+json"):
        raise BadRequest(
            "send JSON, with the header Content-Type: application/json", "wrong-content-type", 415
        )
    try:
        found = json.loads(body)
    except RecursionError:
        raise BadRequest("the JSON is nested too deeply") from None
    except ValueError as error:
        place = f": {error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequest(f"the body is not JSON{place}") from None
    if not isinstance(found, dict):
        raise BadRequest("the body is not a JSON object")
    return found


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """A response's JSON. Raises ``ValueError`` for a number that JSON does not have."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
