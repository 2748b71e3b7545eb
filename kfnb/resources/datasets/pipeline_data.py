"""Versions of data sets in components and pipelines: the cell has the value, a pipeline imports the same version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfnb.capture.component import DataInput
from kfnb.capture.embedded.data import FRAMES, PATH
from kfnb.entities import ImportedData, imported_data, with_addresses
from kfnb.errors import UsageError
from kfnb.pipeline.spec import Compiled
from kfnb.resources.datasets.handle import DatasetVersion
from kfnb.resources.datasets.location import data_store
from kfnb.resources.datasets.model import KINDS, DatasetSnapshot
from kfnb.resources.datasets.reference import LATEST, parse_ref

_FORMATS = {
    "pandas": "parquet",
    "pandas.Series": "series-parquet",
    "polars": "polars-parquet",
    "arrow": "arrow-parquet",
    "numpy": "npy",
}
_MODULES = {
    "pandas": ("pandas", "pyarrow"),
    "pandas.Series": ("pandas", "pyarrow"),
    "polars": ("polars",),
    "arrow": ("pyarrow",),
    "numpy": ("numpy",),
}


@dataclass(frozen=True)
class TakenData:
    """What a component takes: the input, and its value here; ``pinned`` if the newest version was meant."""

    input: DataInput
    value: Any
    version: DatasetVersion
    pinned: bool


def taken(text: str, values: Mapping[str, Any]) -> TakenData:
    """What ``NAME=REF`` means for a component. ``values`` are those of parameters, one of which may choose the version.

    Raises ``UsageError``, ``BackendError``.
    """
    name, equals, ref = (part.strip() for part in text.partition("="))
    if not (equals and name.isidentifier() and name.isascii()):
        raise UsageError(
            f"--data {text}: write name=data-set@version, the name in letters from A to Z, digits and _"
        )
    open_ref = ImportedData(ref, "")
    number: int | None
    if open_ref.parameter:
        if open_ref.parameter not in values:
            hint = f"declare it, --param {open_ref.parameter}:int=1"
            raise UsageError(f"--data {text}: {open_ref.parameter} is not a parameter:", hint=hint, ref=ref)
        _, number = parse_ref(open_ref.chosen(values[open_ref.parameter]))
    else:
        _, number = parse_ref(ref)
    store = data_store()
    data_set = parse_ref(open_ref.chosen(LATEST))[0]
    version = DatasetVersion(store.get(data_set, number), store)
    form, modules = _format_of(version.snapshot())
    fixed = not open_ref.parameter
    data = ImportedData(version.ref if fixed else ref, form, version.digest if fixed else "")
    return TakenData(DataInput(name, data, modules), version.load(), version, number is None)


def with_data(
    spec: Mapping[str, Any], arguments: Mapping[str, Any] | None, *, local: bool
) -> Mapping[str, Any]:
    """A PipelineSpec whose importers have the addresses of the versions that they import.

    ``local`` is whether it runs on this machine; a cluster's pods only reach a bucket. ``arguments`` are None where
    they are given later. Raises ``UsageError`` and ``BackendError``, also if the data store here has another content
    under that version.
    """
    replaced: dict[str, str] = {}
    for data in {one for _, one in imported_data(spec)}:
        store = data_store()
        version = DatasetVersion(store.get(*parse_ref(_chosen(data, spec, arguments))), store)
        _check(data, version)
        replaced[data.uri] = str(version.path()) if local else _published(version)
        if data.parameter:
            replaced |= {data.ref: version.ref, data.metadata["kfnb_digest"]: version.digest}
    found: Mapping[str, Any] = with_addresses(spec, replaced) if replaced else spec
    return found


def with_newest_data(compiled: Compiled) -> Compiled:
    """A compiled pipeline that imports the newest version of each data set, in the place of the one that is fixed.

    Raises ``BackendError``.
    """
    replaced: dict[str, str] = {}
    for data in {one for _, one in imported_data(compiled.spec) if not one.parameter}:
        store = data_store()
        version = DatasetVersion(store.get(parse_ref(data.ref)[0], None), store)
        newest = ImportedData(version.ref, data.format, version.digest)
        replaced |= {data.uri: newest.uri, data.ref: newest.ref}
        replaced |= {data.metadata["kfnb_digest"]: newest.metadata["kfnb_digest"]}
    spec = with_addresses(compiled.spec, replaced) if replaced else compiled.spec
    return replace(compiled, spec=spec)


def _format_of(record: DatasetSnapshot) -> tuple[str, tuple[str, ...]]:
    """How a step loads a version, and the modules that it needs."""
    if record.kind in ("file", "folder"):
        return PATH, ()
    libraries = record.library.split(",")
    if not set(libraries) <= _FORMATS.keys() or any(one.path.endswith(".arrow") for one in record.files):
        raise UsageError(
            f"{record.ref} ({record.library}) cannot be loaded by a step:",
            hint="add it as a DataFrame of plain columns, or as a file",
            ref=record.ref,
        )
    modules = tuple(dict.fromkeys(module for one in libraries for module in _MODULES[one]))
    return (FRAMES + record.library if record.kind == "frames" else _FORMATS[record.library]), modules


def _chosen(data: ImportedData, spec: Mapping[str, Any], arguments: Mapping[str, Any] | None) -> str:
    if not data.parameter:
        return data.ref
    if arguments is None:
        message = (
            f"{data.ref}: the version is chosen when a run is submitted, so the pipeline cannot be uploaded:"
        )
        raise UsageError(message, hint="fix the version in the component", ref=data.ref)
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {}).get(data.parameter)
    if declared is None:
        raise UsageError(
            f"{data.ref}: {data.parameter} must be a parameter of the pipeline itself", ref=data.ref
        )
    version = arguments.get(data.parameter, declared.get("defaultValue"))
    if version is None:
        raise UsageError(
            f"{data.ref} needs {data.parameter}:", hint=f"give --{data.parameter} VALUE", ref=data.ref
        )
    return data.chosen(int(version) if isinstance(version, float) else version)


def _check(data: ImportedData, version: DatasetVersion) -> None:
    if data.digest and version.digest != data.digest:
        raise UsageError(
            f"{version.ref} in the data store {data_store().root} has another content than when the pipeline was made:",
            hint="set data_store to the store that it was made with",
            ref=version.ref,
        )
    form, _ = _format_of(version.snapshot())
    if form != data.format:
        library = version.snapshot().library or "a path"
        raise UsageError(
            f"{version.ref} is {KINDS[version.kind]} ({library}), but the component ran with"
            f" data of another kind: run its cell with {version.ref}",
            ref=version.ref,
        )


def _published(version: DatasetVersion) -> str:
    """The address of a version's file or folder in the bucket, where pods read it."""
    uri = version.publish()
    if not uri:
        raise UsageError(
            f"{version.ref} is in {data_store().root}, a folder that pods do not reach:",
            hint="set %kf_config data_store=s3://BUCKET/PREFIX and add the data there",
            ref=version.ref,
        )
    return uri
