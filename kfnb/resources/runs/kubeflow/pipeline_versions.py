"""The pipelines of runs that only refer to a stored version, as scheduled runs do: their answers have no spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.kfp.server import KfpServer

Json = Mapping[str, Any]


class Versions:
    """The stored versions of a server's pipelines. A version never changes, so each is requested once."""

    def __init__(self, server: KfpServer) -> None:
        self._server = server
        self._specs: dict[str, Any] = {}

    def with_spec(self, answer: Json) -> Json:
        """A run's answer with the pipeline that it refers to, if available."""
        reference = answer.get("pipeline_version_reference") or {}
        version = reference.get("pipeline_version_id")
        if answer.get("pipeline_spec") or not version:
            return answer
        if version not in self._specs:
            self._specs[version] = self._requested(reference.get("pipeline_id", ""), version)
        return {**answer, "pipeline_spec": self._specs[version]}

    def _requested(self, pipeline: str, version: str) -> Any:
        try:
            return self._server.get(f"/pipelines/{pipeline}/versions/{version}").get("pipeline_spec")
        except BackendUnavailable:
            raise
        except BackendError:
            return None  # deleted, or another user's: the run is shown without its tasks
