"""The profile of a version as a reference, and the schema that is inferred from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kfnb.entities.profile import TableProfile
from kfnb.errors import UsageError
from kfnb.profiles.measuring import profile_of
from kfnb.profiles.schema import schema_text
from kfnb.resources.datasets.handle import DatasetVersion


def profile_of_version(version: DatasetVersion) -> TableProfile:
    """The profile of a version. A large file's is measured now. Raises ``UsageError`` for what is not a table."""
    columns = version.profile
    if version.rows is None or not columns:
        raise UsageError(f"{version.ref} is {version.kind}, not a table: it has no columns", ref=version.ref)
    if any(column.nulls is None for column in columns) or not any(column.measured for column in columns):
        return profile_of(version.path(), data=version.digest)
    return TableProfile(columns, version.rows, data=version.digest)


def write_schema(data: Any, path: str | Path | None, source: str) -> Path:
    """Write the schema of a version or a table, called ``source``; without a path, to ``NAME.schema.yaml``."""
    version = isinstance(data, DatasetVersion)
    if path is None and not version:
        raise UsageError("the schema of a table needs a path:", hint="such as churn.schema.yaml")
    file = Path(path) if path is not None else Path(f"{data.name}.schema.yaml")
    profile = profile_of_version(data) if version else profile_of(data)
    if not profile.rows:
        raise UsageError(f"{source} has no rows, of which a schema could be inferred", ref=source)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(schema_text(profile, source, file.name))
    except FileExistsError:
        hint = "it may have been edited: remove it first, or give another path"
        raise UsageError(f"{file} exists already:", hint=hint, ref=str(file)) from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", ref=str(file)) from None
    return file
