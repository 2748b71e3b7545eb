"""The engine of uploaded pipelines, which only a cluster has: each is stored on the server with its versions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.json_server import Sent
from kfnb.remote.kfp.names import name_in
from kfnb.remote.kfp.paging import called, every
from kfnb.remote.kfp.server import Exists, KfpServer, MissingResource
from kfnb.resources.runs.kubeflow.file_uploads import NOWHERE, Uploads
from kfnb.resources.runs.kubeflow.run_builder import spec_of
from kfnb.resources.runs.kubeflow.storable_text import check_storable
from kfnb.resources.runs.kubeflow.submission import as_sent
from kfnb.resources.uploads.model import UploadedPipeline, UploadList
from kfnb.text.timestamps import seconds

Json = Mapping[str, Any]

_UNEXPLAINED = "Failed to create a pipeline"
"""The server's only message for a refused upload, also if a permission is missing."""


class UploadEngine:
    """The uploaded pipelines of a server. ``home`` is the address of its pages; empty if it is unknown."""

    def __init__(self, server: KfpServer, home: str = "", uploads: Uploads = NOWHERE) -> None:
        self._server, self._home, self._uploads = server, home, uploads

    def upload(
        self,
        spec: Json,
        platform: Json | None,
        *,
        name: str,
        version: str = "",
        description: str = "",
        folder: str = ".",
        notify: Callable[[str], None] = lambda _: None,
    ) -> UploadedPipeline:
        """Upload a pipeline as ``name``; as a new version if the name exists.

        The default name of a version is the time; of a first version, the pipeline's name. ``folder`` has the files
        that the pipeline reads; ``notify`` is called with the progress of their upload.
        """
        cargo = self._uploads.cargo(spec, folder)
        sent_spec = as_sent(cargo.spec)
        check_storable({"name": name, "version": version, "description": description, "spec": sent_spec})
        cargo.send(notify)
        sent = form(sent_spec, platform)
        found = self._find(name)
        if found is None and not version:
            try:
                return self._first(sent, name, description)
            except Exists:  # another process was faster
                found = self._find(name)
        made = self._make(name, description) if found is None else None
        try:
            return self._version(sent, made or found or {}, version, description)
        except BackendError:
            if made is not None:  # do not leave a pipeline without a version
                with suppress(BackendError):
                    self._server.request("DELETE", f"/pipelines/{made['pipeline_id']}")
            raise

    def list(self, name: str = "") -> UploadList:
        """All versions of the pipeline called ``name``; without it, the newest version of every pipeline."""
        if name:
            pipeline = self._known(name)
            return UploadList(self._uploaded(pipeline, one) for one in self._versions(pipeline))
        namespace = self._server.users_namespace
        pipelines = list(every(self._server, "/pipelines", "pipelines", namespace=namespace))
        return UploadList(self._uploaded(one, self._newest(one)) for one in pipelines)

    def find(self, name: str, version: str = "") -> UploadedPipeline:
        """A version of the pipeline called ``name``, the newest by default. Raises ``BackendError``."""
        pipeline = self._known(name)
        if not version:
            return self._uploaded(pipeline, self._newest(pipeline))
        names = []
        for one in self._versions(pipeline):
            names.append(name_in(one))
            if version in (names[-1], one.get("pipeline_version_id")):
                return self._uploaded(pipeline, one)
        raise BackendError(
            f"unknown version {version} of pipeline {name}; its versions: {', '.join(names) or 'none'}"
        )

    def spec(self, uploaded: UploadedPipeline) -> tuple[Json, Json | None]:
        """The spec of an uploaded pipeline, and its part for a platform. Raises ``BackendError``."""
        where = f"/pipelines/{uploaded.id}/versions/{uploaded.version_id}"
        try:
            answer = self._server.get(where)
        except MissingResource:
            raise BackendError(
                f"version {uploaded.version} of pipeline {uploaded.name} no longer exists: upload it again"
            ) from None
        return spec_of(answer), answer["pipeline_spec"].get("platform_spec")

    def _first(self, sent: Sent, name: str, description: str) -> UploadedPipeline:
        """Create a pipeline with its first version, which the server names."""
        query = {"name": name, "description": description, "namespace": self._server.users_namespace}
        try:
            made = self._server.request("POST", "/pipelines/upload", sent, query=query)
        except Exists:
            raise
        except BackendError as error:
            raise self._explained(error) from None
        newest: Json = {}
        with suppress(BackendError):  # it exists, even if its version cannot be read
            newest = self._newest(made)
        return self._uploaded(made, newest)

    def _explained(self, error: BackendError) -> BackendError:
        """The error of a refused upload: the server does not report a missing permission."""
        if not str(error).endswith(_UNEXPLAINED):
            return error
        where = self._server.users_namespace
        right = f"permission to create pipelines{f' in namespace {where}' if where else ''}"
        return BackendError(f"{error} (no reason given): you may lack the {right}")

    def _make(self, name: str, description: str) -> Json:
        """Create a pipeline without a version."""
        body = {"name": name, "display_name": name, "description": description}
        namespace = self._server.users_namespace
        made: Json = self._server.request(
            "POST", "/pipelines", body | ({"namespace": namespace} if namespace else {})
        )
        return made

    def _version(self, sent: Sent, pipeline: Json, version: str, description: str) -> UploadedPipeline:
        named = version or f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        query = {"name": named, "pipelineid": pipeline["pipeline_id"], "description": description}
        try:
            made = self._server.request("POST", "/pipelines/upload_version", sent, query=query)
        except Exists:
            raise BackendError(
                f"pipeline {name_in(pipeline)} already has a version {named}: choose another name, or omit it"
            ) from None
        return self._uploaded(pipeline, made)

    def _find(self, name: str) -> Json | None:
        namespace = self._server.users_namespace
        found = self._server.get("/pipelines", filter=called(name), namespace=namespace)
        return next(iter(found.get("pipelines") or ()), None)

    def _known(self, name: str) -> Json:
        found = self._find(name)
        if found is None:
            raise BackendError(f"unknown uploaded pipeline {name}; %kf_upload --list lists them")
        return found

    def _versions(self, pipeline: Json) -> Iterator[Json]:
        return every(self._server, f"/pipelines/{pipeline['pipeline_id']}/versions", "pipeline_versions")

    def _newest(self, pipeline: Json) -> Json:
        where = f"/pipelines/{pipeline['pipeline_id']}/versions"
        found = self._server.get(where, page_size=1, sort_by="created_at desc")
        return next(iter(found.get("pipeline_versions") or ()), {})

    def _uploaded(self, pipeline: Json, version: Json) -> UploadedPipeline:
        identifier, version_id = str(pipeline["pipeline_id"]), str(version.get("pipeline_version_id", ""))
        return UploadedPipeline(
            id=identifier,
            name=name_in(pipeline),
            version=name_in(version),
            version_id=version_id,
            description=str(version.get("description") or pipeline.get("description") or ""),
            created=seconds(version.get("created_at") or pipeline.get("created_at")),
            url=f"{self._home}pipelines/details/{identifier}/version/{version_id}" if self._home else "",
        )


def form(spec: Json, platform: Json | None) -> Sent:
    """A compiled pipeline as the server's upload form. Its file is JSON, which is YAML without implicit types."""
    documents = [spec, platform] if platform else [spec]
    text = "\n---\n".join(json.dumps(one, ensure_ascii=False, indent=1) for one in documents)
    border = secrets.token_hex(16)
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="uploadfile"; filename="pipeline.yaml"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return Sent(f"{head}{text}\r\n--{border}--\r\n".encode(), f"multipart/form-data; boundary={border}")
