"""A recorded KServe as a server: what its own controller and webhooks made of what the engine wrote.

``kserve-VERSION.json.xz`` has the exchanges of each test of the suite with a real API server and that KServe (built
from its source, in Standard mode); pods were told ready or crashing by a script, as there was no kubelet. Objects that
are nobody's but kfnb's (its record, its secret) are not recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.recordings.replay import Exchange, RecordedExchanges
from tests.services.object_server import Json

LIVE = {"configmaps", "secrets", "serviceaccounts"}
"""The kinds that are not recorded."""
_FOLDER, _PYTHON = re.compile(r"s3://[^\"]+"), re.compile(r"python:3\.\d+-slim")


def recording_of(version: str) -> Path:
    """The file of a version of KServe."""
    return Path(__file__).parent / f"kserve-{version}.json.xz"


class RecordedKServe(RecordedExchanges):
    """The exchanges of one test as a server."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        super().__init__(exchanges, LIVE)

    def answer(self, method: str, target: str, body: Json | None) -> tuple[int, Any]:
        if "/proxy/" in target:  # the recorded pods ran nothing that could be asked
            return 503, {
                "kind": "Status",
                "reason": "ServiceUnavailable",
                "message": "connection refused",
                "code": 503,
            }
        return super().answer(method, target, body)

    def essence(self, body: Any) -> Any:
        """Without digests and the Python of the image."""
        if not isinstance(body, dict):
            return body
        metadata = body.get("metadata") or {}
        annotations = {
            key: value
            for key, value in (metadata.get("annotations") or {}).items()
            if key != "kfnb/weights-changed"
        }
        found = json.dumps([body.get("spec"), metadata.get("labels"), annotations], sort_keys=True)
        return _PYTHON.sub("python:3-slim", _FOLDER.sub("s3://folder", found))
