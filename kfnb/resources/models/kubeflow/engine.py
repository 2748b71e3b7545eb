"""Kubeflow's Model Registry as a registry of kfnb.

A model is a RegisteredModel, a version a ModelVersion whose name is its number. A version is there with the one request
that creates it: its model folder was stored before, and its properties have all that kfnb knows. Its artifacts, which
others read, are added afterwards; where that was cut off, the next change of the version adds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError, UsageError, did_you_mean
from kfnb.remote.model_registry.server import RegistryServer, Taken
from kfnb.resources.models.checks import check_alias, check_draft
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.kubeflow.aliases import AliasLog, Move, standing
from kfnb.resources.models.kubeflow.artifacts import complete, model_artifact, source_of
from kfnb.resources.models.kubeflow.folders import StoredFolders
from kfnb.resources.models.kubeflow.numbers import numbered
from kfnb.resources.models.kubeflow.properties import (
    completed,
    created_of,
    decoded,
    encoded,
    state_of,
    tag_property,
    text,
)
from kfnb.resources.models.kubeflow.queries import by_model, is_meant, moves, snapshots
from kfnb.resources.models.model import AliasChange, ModelState, RegisteredModel, VersionSnapshot

Json = Mapping[str, Any]

_TRIES = 20
"""How many others may register a version of the same model in the same moment."""


class KubeflowRegistry:
    """A ``ModelRegistry`` on ``server``, with model ``folders`` in the cluster's object store.

    ``close`` closes what leads to them, such as port-forwards.
    """

    name = "kubeflow"

    def __init__(
        self, server: RegistryServer, folders: StoredFolders, close: Callable[[], object] = lambda: None
    ) -> None:
        self._server, self._folders, self._close = server, folders, close
        self._log = AliasLog(server)

    def models(self, *, archived: bool = False) -> list[RegisteredModel]:
        """See ``ModelRegistry``."""
        listed = [*self._server.list("/registered_models")]
        versions = by_model(self._server.list("/model_versions"))
        moved = moves(self._log.entries({}))
        found = [
            RegisteredModel(
                name=str(one["name"]),
                description=str(one.get("description") or ""),
                owner=str(one.get("owner") or ""),
                created=created_of(one),
                state=state_of(one),
                versions=max(numbered(versions[one["id"]]), default=0),
                aliases=standing(moved[one["id"]]),
            )
            for one in listed
        ]
        chosen = [one for one in found if archived or one.state is ModelState.LIVE]
        return sorted(chosen, key=lambda one: one.name)

    def versions(self, query: VersionQuery) -> list[VersionSnapshot]:
        """See ``ModelRegistry``. Of what another client registered, the address and format are not asked for."""
        if query.name:
            model = self._model(query.name)
            models = [model]
            by_id = {model["id"]: [*self._server.list(f"/registered_models/{model['id']}/versions")]}
            moved = {model["id"]: self._log.entries({}, model["id"])}
        else:
            models = [*self._server.list("/registered_models")]
            by_id = by_model(self._server.list("/model_versions"))
            moved = moves(self._log.entries({}))
        found = [
            version
            for model in models
            if query.archived or state_of(model) is ModelState.LIVE
            for version in snapshots(model, numbered(by_id.get(model["id"], [])), moved.get(model["id"], []))
            if is_meant(version, query)
        ]
        return sorted(found, key=lambda one: (one.created, one.name, one.version), reverse=True)

    def version(self, model: str, version: int) -> VersionSnapshot:
        """See ``ModelRegistry``."""
        record = self._model(model)
        one = self._version(record, version)
        return self._whole(record, one, version)

    def identifiers(self, model: str, version: int) -> tuple[str, str]:
        """The server's own ids of a model and a version. Raises ``UsageError`` for an unknown one."""
        record = self._model(model)
        return str(record["id"]), str(self._version(record, version)["id"])

    def register(self, draft: VersionSnapshot, folder: Path) -> VersionSnapshot:
        """See ``ModelRegistry``."""
        check_draft(draft)
        encoded(draft)  # what cannot be kept is refused before anything is stored
        model = self._model_or_new(draft)
        there = self._same(model["id"], draft.digest)
        if there is None:
            uri = self._folders.upload(folder, draft.digest)
            there, made = self._new(model["id"], replace(draft, uri=uri))
        else:
            made = False
        if not made:
            there = self._add(there, draft)
        number = int(there["name"])  # kfnb's external id is on versions that kfnb made
        kept = decoded(there, draft.name, number)
        complete(self._server, there["id"], kept)
        return self._whole(model, there, number)

    def move_alias(
        self, model: str, alias: str, to: int | None, *, expected: int | None, by: str, because: str
    ) -> AliasChange:
        """See ``ModelRegistry``."""
        if to is not None:
            check_alias(alias)
        record = self._model(model)
        carrier = to if to is not None else expected
        if carrier is None:
            carrier = max(self._numbers(record["id"]), default=0)
        version = self._version(record, carrier)
        self._complete(record, version, carrier)
        change = self._log.append(record["id"], Move(model, alias, to, expected, by, because), version["id"])
        self._log.show(record["id"])
        return change

    def history(self, model: str) -> list[AliasChange]:
        """See ``ModelRegistry``."""
        record = self._model(model)
        changes = [one.change for one in self._log.entries({record["id"]: model}, record["id"])]
        return sorted(changes, key=lambda one: one.at, reverse=True)

    def set_state(self, model: str, version: int, state: ModelState) -> None:
        """See ``ModelRegistry``."""
        record = self._model(model)
        one = self._version(record, version)
        if state is ModelState.ARCHIVED:
            self._check_unnamed(record, version)
        self._complete(record, one, version)
        self._server.update(f"/model_versions/{one['id']}", {"state": state.value})

    def annotate(
        self,
        model: str,
        version: int,
        *,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> None:
        """See ``ModelRegistry``. What another client changes in the same moment may be lost: see docs/models.md."""
        record = self._model(model)
        one = self._version(record, version)
        self._complete(record, one, version)
        body: dict[str, Any] = {} if description is None else {"description": description}
        if tags:
            properties = dict(one.get("customProperties") or {})
            for name, value in tags.items():
                there = tag_property(name, properties)
                properties.pop(there, None)
                if value is not None:
                    properties[there] = text(value)
            body["customProperties"] = properties
        if body:
            self._server.update(f"/model_versions/{one['id']}", body)

    def download(self, version: VersionSnapshot) -> Path:
        """See ``ModelRegistry``."""
        if not version.uri:
            version = self.version(version.name, version.version)
        if not version.uri:
            message = f"{version.ref} has no model artifact in the registry"
            raise BackendError(message, code="not-found", ref=version.ref)
        return self._folders.download(version.uri, version.digest)

    def close(self) -> None:
        """Close all connections."""
        self._server.close()
        self._close()

    def _model(self, name: str) -> Json:
        found = self._server.find("/registered_model", name=name)
        if found is None:
            names = [str(one["name"]) for one in self._server.list("/registered_models")]
            hint = did_you_mean(name, names)
            raise UsageError(f"unknown model {name}", code="not-found", hint=hint, ref=name)
        return found

    def _model_or_new(self, draft: VersionSnapshot) -> Json:
        found = self._server.find("/registered_model", name=draft.name)
        if found is not None:
            return found
        try:
            return self._server.create("/registered_models", {"name": draft.name, "owner": draft.owner})
        except Taken:
            return self._model(draft.name)

    def _numbers(self, model_id: str) -> dict[int, Json]:
        return numbered(self._server.list(f"/registered_models/{model_id}/versions"))

    def _version(self, model: Json, number: int) -> Json:
        found = self._numbers(model["id"])
        if number not in found:
            known = ", ".join(map(str, [*found][-5:]))
            hint = f"it has {'...' if len(found) > 5 else ''}{known}" if known else "it has no versions"  # noqa: PLR2004
            message = f"unknown version {model['name']}@{number}"
            raise UsageError(message, code="not-found", hint=hint, ref=str(model["name"]))
        return found[number]

    def _same(self, model_id: str, digest: str) -> Json | None:
        return self._server.find("/model_version", externalId=_external(model_id, digest))

    def _new(self, model_id: str, draft: VersionSnapshot) -> tuple[Json, bool]:
        """The version of a draft, and whether it is new: someone else may register the same content just now."""
        body: dict[str, Any] = {
            "registeredModelId": model_id,
            "externalId": _external(model_id, draft.digest),
            "author": draft.owner,
            "state": draft.state.value,
            "customProperties": encoded(draft),
        } | ({"description": draft.description} if draft.description else {})
        for _ in range(_TRIES):
            number = max(self._numbers(model_id), default=0) + 1
            try:
                return self._server.create("/model_versions", body | {"name": str(number)}), True
            except Taken:
                same = self._same(model_id, draft.digest)
                if same is not None:
                    return same, False
        raise BackendError(
            f"others register versions of {draft.name} again and again: try later", ref=draft.name
        )

    def _add(self, there: Json, draft: VersionSnapshot) -> Json:
        """Add the metrics, data, tags and description that the version does not have, and restore it."""
        properties = dict(there.get("customProperties") or {})
        desired = completed(properties, draft)
        body: dict[str, Any] = {} if desired == properties else {"customProperties": desired}
        if state_of(there) is ModelState.ARCHIVED:
            body["state"] = ModelState.LIVE.value
        if draft.description and not there.get("description"):
            body["description"] = draft.description
        return self._server.update(f"/model_versions/{there['id']}", body) if body else there

    def _check_unnamed(self, model: Json, version: int) -> None:
        """Raise ``UsageError`` if an alias names the version."""
        named = standing(self._log.entries({}, model["id"]))
        for alias in (alias for alias, number in sorted(named.items()) if number == version):
            ref = f"{model['name']}@{version}"
            hint = "move the alias to another version first"
            raise UsageError(f"{ref} is {model['name']}@{alias}:", hint=hint, ref=ref)

    def _complete(self, model: Json, version: Json, number: int) -> None:
        """Finish what a registration that was cut off has left to do; nothing of another client's is touched."""
        found = decoded(version, str(model["name"]), number)
        if found.digest and model_artifact(self._server, version["id"]) is None:
            complete(self._server, version["id"], found)

    def _whole(self, model: Json, version: Json, number: int) -> VersionSnapshot:
        """A version with its aliases and, if another client registered it, what its artifact tells."""
        [found] = snapshots(model, {number: version}, self._log.entries({}, model["id"]))
        if found.uri:
            return found
        artifact = model_artifact(self._server, version["id"]) or {}
        return replace(
            found,
            uri=str(artifact.get("uri") or ""),
            format=found.format or str(artifact.get("modelFormatName") or ""),
            source=source_of(artifact),
        )


def _external(model_id: str, digest: str) -> str:
    """The external id of a version: unique in the registry, so that a model has content once."""
    return f"kfnb:version:{model_id}:{digest}"
