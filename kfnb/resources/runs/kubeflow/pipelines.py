"""Pipelines that the server keeps, each in versions: uploaded, listed and found by name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.model import UploadedPipeline, UploadList
from kfnb.remote.kfp.paging import called, every
from kfnb.remote.kfp.server import Exists, MissingResource, Sent, Server
from kfnb.resources.runs.kubeflow.file_uploads import NOWHERE, Uploads
from kfnb.resources.runs.kubeflow.fold import spec_of
from kfnb.resources.runs.kubeflow.states import seconds
from kfnb.resources.runs.kubeflow.storable_text import check_storable
from kfnb.resources.runs.kubeflow.submission import as_sent

Json = Mapping[str, Any]

_UNEXPLAINED = "Failed to create a pipeline"
"""All that the server says of an upload that it refuses, for want of a right too."""


class Pipelines:
    """The pipelines of a server. ``home`` is the address of its pages; empty where none is known."""

    def __init__(self, server: Server, home: str = "", uploads: Uploads = NOWHERE) -> None:
        self._server, self._home, self._uploads = server, home, uploads
        self._names: dict[str, str] = {}

    def upload(
        self,
        spec: Json,
        platform: Json | None,
        *,
        name: str,
        version: str = "",
        description: str = "",
        folder: str = ".",
        tell: Callable[[str], None] = lambda _: None,
    ) -> UploadedPipeline:
        """Keep a pipeline under ``name``; where there is one of that name, as a new version of it.

        A version without a name is called by the time; the first of a pipeline, by the pipeline. ``folder`` is that
        of the files which the pipeline reads; ``tell`` is told how far they are uploaded.
        """
        cargo = self._uploads.cargo(spec, folder)
        sent_spec = as_sent(cargo.spec)
        check_storable({"name": name, "version": version, "description": description, "spec": sent_spec})
        cargo.send(tell)
        sent = form(sent_spec, platform)
        found = self._find(name)
        if found is None and not version:
            try:
                return self._first(sent, name, description)
            except Exists:  # somebody else was faster
                found = self._find(name)
        made = self._make(name, description) if found is None else None
        try:
            return self._version(sent, made or found or {}, version, description)
        except BackendError:
            if made is not None:  # no pipeline stays without a version
                with suppress(BackendError):
                    self._server.ask("DELETE", f"/pipelines/{made['pipeline_id']}")
            raise

    def list(self, name: str = "") -> UploadList:
        """All versions of the pipeline called ``name``; without it, the newest version of every pipeline."""
        if name:
            pipeline = self._known(name)
            return UploadList(self._told(pipeline, one) for one in self._versions(pipeline))
        namespace = self._server.users_namespace
        pipelines = list(every(self._server, "/pipelines", "pipelines", namespace=namespace))
        return UploadList(self._told(one, self._newest(one)) for one in pipelines)

    def find(self, name: str, version: str = "") -> UploadedPipeline:
        """A version of the pipeline called ``name``, the newest by default. Raises ``BackendError``."""
        pipeline = self._known(name)
        if not version:
            return self._told(pipeline, self._newest(pipeline))
        names = []
        for one in self._versions(pipeline):
            names.append(_name(one))
            if version in (names[-1], one.get("pipeline_version_id")):
                return self._told(pipeline, one)
        raise BackendError(
            f"pipeline {name} has no version {version}; there are {', '.join(names) or 'none'}"
        )

    def spec(self, uploaded: UploadedPipeline) -> tuple[Json, Json | None]:
        """The spec of an uploaded pipeline, and its part for a platform. Raises ``BackendError``."""
        where = f"/pipelines/{uploaded.id}/versions/{uploaded.version_id}"
        try:
            answer = self._server.get(where)
        except MissingResource:
            raise BackendError(
                f"version {uploaded.version} of pipeline {uploaded.name} is not there any more: upload it again"
            ) from None
        return spec_of(answer), answer["pipeline_spec"].get("platform_spec")

    def name(self, identifier: str) -> str:
        """The name of a pipeline; its id where the name cannot be learned."""
        if identifier and identifier not in self._names:
            try:
                self._names[identifier] = _name(self._server.get(f"/pipelines/{identifier}"))
            except BackendUnavailable:
                return identifier
            except BackendError:
                self._names[identifier] = identifier  # deleted, or somebody else's
        return self._names.get(identifier, "")

    def _first(self, sent: Sent, name: str, description: str) -> UploadedPipeline:
        """A pipeline that is new, with its first version, which the server names."""
        query = {"name": name, "description": description, "namespace": self._server.users_namespace}
        try:
            made = self._server.ask("POST", "/pipelines/upload", sent, query=query)
        except Exists:
            raise
        except BackendError as error:
            raise self._explained(error) from None
        newest: Json = {}
        with suppress(BackendError):  # it is there, whether its version can be told or not
            newest = self._newest(made)
        return self._told(made, newest)

    def _explained(self, error: BackendError) -> BackendError:
        """A refused upload: the server keeps to itself that a right is missing."""
        if not str(error).endswith(_UNEXPLAINED):
            return error
        where = self._server.users_namespace
        right = f"right to create pipelines{f' in namespace {where}' if where else ''}"
        return BackendError(f"{error}, and not why: you may lack the {right}")

    def _make(self, name: str, description: str) -> Json:
        """A pipeline that has no version yet."""
        body = {"name": name, "display_name": name, "description": description}
        namespace = self._server.users_namespace
        made: Json = self._server.ask(
            "POST", "/pipelines", body | ({"namespace": namespace} if namespace else {})
        )
        return made

    def _version(self, sent: Sent, pipeline: Json, version: str, description: str) -> UploadedPipeline:
        named = version or f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        query = {"name": named, "pipelineid": pipeline["pipeline_id"], "description": description}
        try:
            made = self._server.ask("POST", "/pipelines/upload_version", sent, query=query)
        except Exists:
            raise BackendError(
                f"pipeline {_name(pipeline)} has a version {named} already: give another name, or none"
            ) from None
        return self._told(pipeline, made)

    def _find(self, name: str) -> Json | None:
        namespace = self._server.users_namespace
        found = self._server.get("/pipelines", filter=called(name), namespace=namespace)
        return next(iter(found.get("pipelines") or ()), None)

    def _known(self, name: str) -> Json:
        found = self._find(name)
        if found is None:
            raise BackendError(
                f"no uploaded pipeline is called {name}; %kf_upload --list shows those there are"
            )
        return found

    def _versions(self, pipeline: Json) -> Iterator[Json]:
        return every(self._server, f"/pipelines/{pipeline['pipeline_id']}/versions", "pipeline_versions")

    def _newest(self, pipeline: Json) -> Json:
        where = f"/pipelines/{pipeline['pipeline_id']}/versions"
        found = self._server.get(where, page_size=1, sort_by="created_at desc")
        return next(iter(found.get("pipeline_versions") or ()), {})

    def _told(self, pipeline: Json, version: Json) -> UploadedPipeline:
        identifier, version_id = str(pipeline["pipeline_id"]), str(version.get("pipeline_version_id", ""))
        return UploadedPipeline(
            id=identifier,
            name=_name(pipeline),
            version=_name(version),
            version_id=version_id,
            description=str(version.get("description") or pipeline.get("description") or ""),
            created=seconds(version.get("created_at") or pipeline.get("created_at")),
            url=f"{self._home}pipelines/details/{identifier}/version/{version_id}" if self._home else "",
        )


def form(spec: Json, platform: Json | None) -> Sent:
    """A compiled pipeline as the form that the server takes. Its file holds JSON: that is YAML, without its guesses."""
    documents = [spec, platform] if platform else [spec]
    text = "\n---\n".join(json.dumps(one, ensure_ascii=False, indent=1) for one in documents)
    border = secrets.token_hex(16)
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="uploadfile"; filename="pipeline.yaml"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return Sent(f"{head}{text}\r\n--{border}--\r\n".encode(), f"multipart/form-data; boundary={border}")


def _name(answer: Json) -> str:
    return str(answer.get("display_name") or answer.get("name") or "")
