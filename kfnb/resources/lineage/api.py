"""The public functions of lineage."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.catalog.index import Index
from kfnb.entities import Artifact
from kfnb.errors import BackendError, UsageError
from kfnb.resources.lineage import openlineage, references
from kfnb.resources.lineage.graph import lineage_of
from kfnb.resources.lineage.model import Lineage
from kfnb.resources.lineage.on_cluster import ON_CLUSTER, OnCluster, on_cluster
from kfnb.resources.lineage.sources import sources
from kfnb.settings import settings

_KINDS = {"ModelVersion": "model:", "DatasetVersion": "data:"}


def lineage(ref: Any, *, up: bool = True, down: bool = True, depth: int | None = None) -> Lineage:
    """What a thing was made of (``up``) and what it was used for (``down``), at most ``depth`` tasks away.

    ``ref`` is a version (``churn@3``, ``churn@champion``, ``churn-data@2``), a run's id or its start, ``RUN/TASK``,
    ``RUN/TASK/OUTPUT``, a digest or its start, the path of a file, or an object: a run, an artifact, a version.
    ``kubeflow:RUN`` is a run of the cluster, ``kubeflow:churn@3`` a version in its registry. Raises ``NotFound``,
    ``UsageError`` and ``BackendError``.
    """
    if depth is not None and depth < 0:
        raise UsageError(f"depth={depth}: the number of tasks must be 0 or more")
    catalog, text = index(), reference(ref)
    with ExitStack() as opened:
        if text.startswith(ON_CLUSTER):  # the index has what is of this home alone
            there = on_cluster(text)
            connection = opened.enter_context(catalog.reading_with(there.units))
        else:
            there = OnCluster(text)
            connection = opened.enter_context(catalog.reading())
        start = references.find(connection, there.ref)
        found = lineage_of(connection, start, up=up, down=down, depth=depth)
    return replace(found, notes=(*catalog.problems, *there.notes, *found.notes))


def rebuild_catalog() -> int:
    """Build the index of the home again; the number of runs and versions in it."""
    return index().rebuild()


def export_openlineage(file: Path) -> int:
    """Write the lineage of the home to a file as events of OpenLineage, a line each; the number of events.

    The file appears complete, or it is not written. Raises ``BackendError``.
    """
    with index().reading() as connection:
        return _write(file, openlineage.lines(openlineage.events(connection)))


def _write(file: Path, lines: Iterable[str]) -> int:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    count = 0
    try:
        with draft.open("w", encoding="utf-8") as out:
            for line in lines:
                out.write(line)
                count += 1
        draft.replace(file)
    except OSError as error:
        raise BackendError(f"{file} cannot be written: {error.strerror or error}", ref=str(file)) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return count


def names() -> list[str]:
    """The references to versions that the index has."""
    with index().reading() as connection:
        return references.names(connection)


def index() -> Index:
    """The index of the home."""
    return Index(Path(settings().home), sources())


def reference(ref: Any) -> str:
    """A reference to an object, as text. Raises ``UsageError``."""
    if isinstance(ref, str):
        return ref
    if isinstance(ref, Path):
        return str(ref)
    if isinstance(ref, Artifact):
        return ref.digest or ref.uri
    backend = getattr(ref, "backend", "")
    for name in ("ref", "id"):  # a version, a run
        text = getattr(ref, name, None)
        if isinstance(text, str):
            if backend == "kubeflow" or (name == "id" and backend):
                return f"{backend}:{text}"
            return _KINDS.get(type(ref).__name__, "") + text
    raise UsageError(
        f"{type(ref).__name__} has no lineage: give a run, an artifact, a version or a reference"
    )
