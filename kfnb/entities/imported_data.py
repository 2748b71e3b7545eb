"""Versions of data sets in a pipeline: each has an importer, whose address is found when the pipeline is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.entities.carried import TITLE

_SCHEME = "kfnb-data:"
_FORMAT, _DIGEST, _UNKNOWN = "format", "kfnb_digest", "digest of "
_CHOSEN = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class ImportedData:
    """A version of a data set that steps take: ``ref`` is ``churn-data@2``, or ``churn-data@{version}``.

    ``{version}`` is a parameter of the pipeline that chooses the version. ``format`` says how a step loads it.
    ``digest`` is that of a version which is fixed. A compiled pipeline has a placeholder as its address: where the
    content is depends on where the pipeline runs.
    """

    ref: str
    format: str
    digest: str = ""

    @property
    def uri(self) -> str:
        """The importer's address, before it is replaced."""
        return _SCHEME + self.ref

    @property
    def metadata(self) -> dict[str, str]:
        """The importer's metadata."""
        return {TITLE: self.ref, _FORMAT: self.format, _DIGEST: self.digest or f"{_UNKNOWN}{self.ref}"}

    @property
    def parameter(self) -> str:
        """The parameter that chooses the version; empty for a version that is fixed."""
        found = _CHOSEN.search(self.ref)
        return found[1] if found else ""

    def chosen(self, version: object) -> str:
        """The reference with the parameter's value."""
        return _CHOSEN.sub(str(version), self.ref)


def imported_data(spec: Mapping[str, Any]) -> Iterator[tuple[str, ImportedData]]:
    """The executors of a PipelineSpec that import versions of data sets, and these."""
    for name, executor in spec.get("deploymentSpec", {}).get("executors", {}).items():
        importer = executor.get("importer") or {}
        uri = importer.get("artifactUri", {}).get("constant", "")
        if isinstance(uri, str) and uri.startswith(_SCHEME):
            metadata = importer.get("metadata", {})
            form, digest = str(metadata.get(_FORMAT, "")), data_digest_of(metadata)
            yield name, ImportedData(uri.removeprefix(_SCHEME), form, digest)


def with_placeholders(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A spec that was sent, as it was compiled: its importers name versions of data sets, and not their addresses."""
    replaced: dict[str, str] = {}
    for executor in spec.get("deploymentSpec", {}).get("executors", {}).values():
        importer = executor.get("importer") or {}
        uri, metadata = importer.get("artifactUri", {}).get("constant", ""), importer.get("metadata", {})
        if data_of(metadata) and uri:
            replaced[uri] = ImportedData(data_of(metadata), "").uri
    found: Mapping[str, Any] = with_addresses(spec, replaced) if replaced else spec
    return found


def data_of(metadata: Mapping[str, Any]) -> str:
    """The version of a data set (``churn-data@2``) that an importer's artifact with this metadata is; else empty."""
    return str(metadata.get(TITLE, "")) if _DIGEST in metadata else ""


def data_digest_of(metadata: Mapping[str, Any]) -> str:
    """The digest of the version of a data set that an importer's artifact is; empty where it is unknown."""
    digest = str(metadata.get(_DIGEST, ""))
    return "" if digest.startswith(_UNKNOWN) else digest


def with_addresses(spec: Any, addresses: Mapping[str, str]) -> Any:
    """A spec with the texts ``addresses`` replaced, in a copy: KFP's compiler writes an importer's address twice."""
    if isinstance(spec, str):
        return addresses.get(spec, spec)
    if isinstance(spec, list):
        return [with_addresses(item, addresses) for item in spec]
    if isinstance(spec, Mapping):
        return {key: with_addresses(item, addresses) for key, item in spec.items()}
    return spec
