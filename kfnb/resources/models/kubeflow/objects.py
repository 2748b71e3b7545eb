"""Models and versions as the registry has them: found by their names, created, and changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.errors import BackendError, UsageError, did_you_mean
from kfnb.remote.model_registry.server import RegistryServer, Taken
from kfnb.resources.models.kubeflow.numbers import EXTERNAL, numbered
from kfnb.resources.models.kubeflow.properties import completed, encoded, state_of
from kfnb.resources.models.model import ModelState, VersionSnapshot

Json = Mapping[str, Any]

_TRIES = 20
"""How often a version is created again with another number, as others create versions of the model."""


class RegistryObjects:
    """The objects of a registry: ``RegisteredModel`` and ``ModelVersion``."""

    def __init__(self, server: RegistryServer) -> None:
        self._server = server

    def model(self, name: str) -> Json:
        """The model with a name. Raises ``UsageError``."""
        found = self._server.find("/registered_model", name=name)
        if found is None:
            names = [str(one["name"]) for one in self._server.list("/registered_models")]
            hint = did_you_mean(name, names)
            raise UsageError(f"unknown model {name}", code="not-found", hint=hint, ref=name)
        return found

    def model_or_new(self, draft: VersionSnapshot) -> Json:
        """The model of a draft, which is created if it does not exist."""
        found = self._server.find("/registered_model", name=draft.name)
        if found is not None:
            return found
        try:
            return self._server.create("/registered_models", {"name": draft.name, "owner": draft.owner})
        except Taken:
            return self.model(draft.name)

    def numbers(self, model_id: str) -> dict[int, Json]:
        """The versions of a model by their numbers."""
        return numbered(self._server.list(f"/registered_models/{model_id}/versions"))

    def version(self, model: Json, number: int) -> Json:
        """The version with a number. Raises ``UsageError``."""
        found = self.numbers(model["id"])
        if number not in found:
            known = ", ".join(map(str, [*found][-5:]))
            hint = f"it has {'...' if len(found) > 5 else ''}{known}" if known else "it has no versions"  # noqa: PLR2004
            message = f"unknown version {model['name']}@{number}"
            raise UsageError(message, code="not-found", hint=hint, ref=str(model["name"]))
        return found[number]

    def same(self, model_id: str, digest: str) -> Json | None:
        """The version with this content, if there is one."""
        return self._server.find("/model_version", externalId=_external(model_id, digest))

    def new(self, model_id: str, draft: VersionSnapshot) -> Json:
        """The version of a draft: a new one, unless another user registers the same content at the same time."""
        body: dict[str, Any] = {
            "registeredModelId": model_id,
            "externalId": _external(model_id, draft.digest),
            "author": draft.owner,
            "state": draft.state.value,
            "customProperties": encoded(draft),
        } | ({"description": draft.description} if draft.description else {})
        for _ in range(_TRIES):
            number = max(self.numbers(model_id), default=0) + 1
            try:
                return self._server.create("/model_versions", body | {"name": str(number)})
            except Taken:
                same = self.same(model_id, draft.digest)
                if same is not None:
                    return self.add(same, draft)
        raise BackendError(
            f"others registered versions of {draft.name} during each of {_TRIES} attempts; try again later",
            ref=draft.name,
        )

    def add(self, there: Json, draft: VersionSnapshot) -> Json:
        """Add the metrics, data, tags and description that the version does not have, and restore it."""
        properties = dict(there.get("customProperties") or {})
        desired = completed(properties, draft)
        body: dict[str, Any] = {} if desired == properties else {"customProperties": desired}
        if state_of(there) is ModelState.ARCHIVED:
            body["state"] = ModelState.LIVE.value
        if draft.description and not there.get("description"):
            body["description"] = draft.description
        return self._server.update(f"/model_versions/{there['id']}", body) if body else there


def _external(model_id: str, digest: str) -> str:
    """The external id of a version: unique in the registry, so that a model has content once."""
    return f"{EXTERNAL}{model_id}:{digest}"
