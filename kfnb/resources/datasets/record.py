"""The record of a version, as the store keeps it: JSON, which is written once and never changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import PurePosixPath
from typing import Any, TypeVar

from kfnb.entities.profile import ColumnProfile
from kfnb.errors import BackendError
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry

FORMAT = 1
_DIGEST = re.compile("[0-9a-f]{64}")

T = TypeVar("T")


def encoded(record: DatasetSnapshot) -> bytes:
    """A record as JSON. Fields that have their default are left out of what is known of columns."""
    data = asdict(record)
    data["columns"] = [column.to_json() for column in record.columns]
    return json.dumps({"format": FORMAT, **data}, allow_nan=False, separators=(",", ":")).encode()


def decoded(data: bytes, where: str) -> DatasetSnapshot:
    """A record from its JSON, which is at ``where``. Fields that are unknown are left out.

    Raises ``BackendError`` if it is damaged, or if its files could be written outside their folder.
    """
    try:
        found = json.loads(data)
        given = _known(DatasetSnapshot, found)
        given["files"] = tuple(FileEntry(**_known(FileEntry, one)) for one in found["files"])
        given["columns"] = tuple(ColumnProfile.from_json(one) for one in found.get("columns", ()))
        given["source"] = {str(name): str(value) for name, value in dict(found.get("source") or {}).items()}
        record = DatasetSnapshot(**given)
        _check(record)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackendError(
            f"the record {where} of the data store is damaged ({error})", code="invalid-object", ref=where
        ) from None
    return record


def _check(record: DatasetSnapshot) -> None:
    for file in record.files:
        path = PurePosixPath(file.path)
        if (
            path.is_absolute()
            or not path.parts
            or ".." in path.parts
            or "\\" in file.path
            or "\0" in file.path
        ):
            raise ValueError(f"invalid path {file.path!r}")
        if not _DIGEST.fullmatch(file.sha256) and not (file.uri and file.tag and not file.sha256):
            raise ValueError(f"invalid digest {file.sha256!r}")


def _known(kind: type[T], found: Mapping[str, Any]) -> dict[str, Any]:
    return {one.name: found[one.name] for one in fields(kind) if one.name in found}  # type: ignore[arg-type]
