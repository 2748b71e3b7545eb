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

from kfnb.errors import BackendError
from kfnb.remote.model_registry.server import RegistryServer
from kfnb.resources.models.checks import check_alias, check_draft
from kfnb.resources.models.engine import MISSING, VersionQuery
from kfnb.resources.models.kubeflow.aliases import AliasLog, standing
from kfnb.resources.models.kubeflow.artifacts import complete, model_artifact, source_of
from kfnb.resources.models.kubeflow.folders import StoredFolders
from kfnb.resources.models.kubeflow.numbers import numbered
from kfnb.resources.models.kubeflow.objects import RegistryObjects
from kfnb.resources.models.kubeflow.properties import (
    created_of,
    decoded,
    encoded,
    state_of,
    tag_property,
    text,
)
from kfnb.resources.models.kubeflow.queries import by_model, is_meant, moves, snapshots
from kfnb.resources.models.model import AliasChange, ModelState, RegisteredModel, VersionSnapshot
from kfnb.resources.models.moves import AliasMove, check_live, check_unnamed

Json = Mapping[str, Any]


class KubeflowRegistry:
    """A ``ModelRegistry`` on ``server``, with model ``folders`` in the cluster's object store.

    ``close`` closes what leads to them, such as port-forwards.
    """

    name = "kubeflow"

    def __init__(
        self, server: RegistryServer, folders: StoredFolders, close: Callable[[], object] = lambda: None
    ) -> None:
        self._server, self._folders, self._close = server, folders, close
        self._objects, self._log = RegistryObjects(server), AliasLog(server)

    @property
    def summary(self) -> str:
        """Its address, and which version of the API it has. Raises ``BackendError``."""
        return f"{self._server.url} has {self._server.version} of the API"

    def stamp(self) -> str:
        """See ``ModelRegistry``."""
        return ""

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
        """See ``ModelRegistry``. The address and format of other clients' versions are left out."""
        if query.name:
            model = self._objects.model(query.name)
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
        record = self._objects.model(model)
        one = self._objects.version(record, version)
        return self._whole(record, one, version)

    def identifiers(self, model: str, version: int) -> tuple[str, str]:
        """The server's own ids of a model and a version. Raises ``UsageError`` for an unknown one."""
        record = self._objects.model(model)
        return str(record["id"]), str(self._objects.version(record, version)["id"])

    def newest(self, model: str) -> VersionSnapshot | None:
        """See ``ModelRegistry``."""
        record = self._objects.model(model)
        numbers = self._objects.numbers(record["id"])
        live = [number for number, one in numbers.items() if state_of(one) is ModelState.LIVE]
        if not live or state_of(record) is ModelState.ARCHIVED:
            return None
        return self._whole(record, numbers[max(live)], max(live))

    def by_digest(self, model: str, digest: str) -> VersionSnapshot | None:
        """See ``ModelRegistry``."""
        record = self._server.find("/registered_model", name=model)
        found = None if record is None else self._objects.same(record["id"], digest)
        return None if record is None or found is None else self._whole(record, found, int(found["name"]))

    def aliases(self, model: str) -> dict[str, int]:
        """See ``ModelRegistry``."""
        return standing(self._log.entries({}, self._objects.model(model)["id"]))

    def register(self, draft: VersionSnapshot, folder: Path) -> VersionSnapshot:
        """See ``ModelRegistry``."""
        check_draft(draft)
        encoded(draft)  # what cannot be kept is refused before anything is stored
        model = self._objects.model_or_new(draft)
        same = self._objects.same(model["id"], draft.digest)
        if same is None:
            uri = self._folders.upload(folder, draft.digest)
            there = self._objects.new(model["id"], replace(draft, uri=uri))
        else:
            self._folders.repair(folder, draft.digest, decoded(same, draft.name, 0).uri)
            there = self._objects.add(same, draft)
        number = int(there["name"])  # kfnb's external id is on versions that kfnb made
        kept = decoded(there, draft.name, number)
        complete(self._server, there["id"], kept)
        return self._whole(model, there, number)

    def move_alias(self, move: AliasMove) -> AliasChange:
        """See ``ModelRegistry``."""
        if move.to is not None:
            check_alias(move.alias)
        record = self._objects.model(move.model)
        carrier = move.to if move.to is not None else move.expected
        if carrier is None:
            carrier = max(self._objects.numbers(record["id"]), default=0)
        version = self._objects.version(record, carrier)
        if move.to is not None:
            check_live(decoded(version, move.model, move.to))
        self._complete(record, version, carrier)
        change = self._log.append(record["id"], move, version["id"])
        self._log.show(record["id"])
        return change

    def history(self, model: str) -> list[AliasChange]:
        """See ``ModelRegistry``."""
        record = self._objects.model(model)
        entries = self._log.entries({record["id"]: model}, record["id"])
        return [one.change for one in sorted(entries, key=lambda one: one.id, reverse=True)]

    def set_state(self, model: str, version: int, state: ModelState) -> None:
        """See ``ModelRegistry``."""
        record = self._objects.model(model)
        one = self._objects.version(record, version)
        if state is ModelState.ARCHIVED:
            [named] = snapshots(record, {version: one}, self._log.entries({}, record["id"]))
            check_unnamed(named)
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
        record = self._objects.model(model)
        one = self._objects.version(record, version)
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

    def problem(self, version: VersionSnapshot) -> str:
        """See ``ModelRegistry``."""
        if not version.digest:
            return ""
        return self._folders.problem(version.uri, version.digest) if version.uri else MISSING

    def close(self) -> None:
        """Close all connections."""
        self._server.close()
        self._close()

    def _complete(self, model: Json, version: Json, number: int) -> None:
        """Add the artifacts that an interrupted registration left out. Other clients' versions are not changed."""
        found = decoded(version, str(model["name"]), number)
        if found.digest and model_artifact(self._server, version["id"]) is None:
            complete(self._server, version["id"], found)

    def _whole(self, model: Json, version: Json, number: int) -> VersionSnapshot:
        """A version with its aliases. The artifact of another client's version has its address, format and source."""
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
