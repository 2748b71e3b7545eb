"""A version's artifacts, for all who are not kfnb: the registry's page, KServe, other clients.

The first is the ModelArtifact, since the page shows the first artifact as the model's; its name is the model's, as the
public client looks for it. Data sets and metrics follow. Each has a name that is unique in its version, so that what
was interrupted is done again without harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import BackendError
from kfnb.remote.model_registry.server import RegistryServer, Taken
from kfnb.resources.models.kubeflow.properties import text
from kfnb.resources.models.model import ModelSource, VersionSnapshot

Json = Mapping[str, Any]

_logger = logger(__package__)

MODEL = "model-artifact"
_SOURCE = {
    "kind": "modelSourceKind",
    "cls": "modelSourceClass",
    "id": "modelSourceId",
    "name": "modelSourceName",
    "group": "modelSourceGroup",
}
"""The fields of KEP-12020."""


def complete(server: RegistryServer, version_id: str, version: VersionSnapshot) -> None:
    """Add the artifacts that the version does not have yet. Raises ``BackendError`` for its ModelArtifact alone.

    Data sets and metrics are in the version's properties too, and a registry may not keep them as artifacts.
    """
    listed = [*server.list(f"/model_versions/{version_id}/artifacts")]
    there = {(str(one.get("artifactType")), str(one.get("name"))) for one in listed}
    if not any(kind == MODEL for kind, _ in there):
        _create(server, version_id, _model(version))
    for body in _others(version):
        if (body["artifactType"], body["name"]) in there:
            continue
        try:
            _create(server, version_id, body)
        except BackendError:
            _logger.info("The registry does not keep %s as an artifact.", body["artifactType"], exc_info=True)


def model_artifact(server: RegistryServer, version_id: str) -> Json | None:
    """The ModelArtifact of a version; None where another client has not added one."""
    listed = server.list(f"/model_versions/{version_id}/artifacts")
    return next((one for one in listed if one.get("artifactType") == MODEL), None)


def source_of(artifact: Json) -> ModelSource:
    """What made a version, by the fields of its ModelArtifact; ``import`` where another client gives none."""
    named = {name: str(artifact.get(field) or "") for name, field in _SOURCE.items()}
    return ModelSource(**{**named, "kind": named["kind"] or "import"}, backend="kubeflow")


def _create(server: RegistryServer, version_id: str, body: Json) -> None:
    try:
        server.create(f"/model_versions/{version_id}/artifacts", body)
    except Taken:  # someone completes the same version
        _logger.debug("%s %s is there already.", body["artifactType"], body["name"])


def _model(version: VersionSnapshot) -> Json:
    named = {field: getattr(version.source, name) for name, field in _SOURCE.items()}
    if version.source.kind == "kfp" and version.source.backend != "kubeflow":
        named = {}  # the page would lead to a run that the cluster does not have
    return {
        "artifactType": MODEL,
        "name": version.name,
        "uri": version.uri,
        "state": "LIVE",
        "modelFormatName": version.format,
        "modelFormatVersion": "1",
        **{name: value for name, value in named.items() if value},
        "customProperties": {"kfnb.digest": text(version.digest)},
    }


def _others(version: VersionSnapshot) -> Iterator[Json]:
    for ref in version.data:
        digest = version.data_digests.get(ref, "")
        yield {
            "artifactType": "dataset-artifact",
            "name": ref,
            "source": ref,
            "sourceType": "kfnb",
            **({"digest": digest} if digest else {}),
        }
    measured = {"kfnb.data": text(version.metrics_data)} if version.metrics_data else {}
    for name, value in version.metrics.items():
        yield {"artifactType": "metric", "name": name, "value": value, "customProperties": measured}
