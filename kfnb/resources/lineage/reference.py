"""References as values: what is named, of which kind, and on which backend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.catalog.records import MONITOR, SERVICE
from kfnb.entities import Artifact
from kfnb.errors import UsageError

_LOCAL, _CLUSTER = "local:", "kubeflow:"
_HANDLES = {"ModelVersion": "model", "DatasetVersion": "data"}
_KINDS = ("data", "model")
_NAMED = {"Service": SERVICE, "Monitor": MONITOR}


@dataclass(frozen=True)
class Reference:
    """What is named. ``kind`` is ``data`` or ``model`` where only that is meant, else empty."""

    name: str
    kind: str = ""
    on_cluster: bool = False

    def __str__(self) -> str:
        """The reference as a user writes it."""
        backend = _CLUSTER if self.on_cluster else ""
        return backend + (f"{self.kind}:" if self.kind else "") + self.name

    @property
    def is_version(self) -> bool:
        """Whether it can only be a version of a data set or a model."""
        return bool(self.kind) or "@" in self.name


def parse(text: str) -> Reference:
    """The reference that a user wrote: ``churn@3``, ``model:churn@3``, ``kubeflow:RUN/TASK``, ``local:...``."""
    rest = text.removeprefix(_CLUSTER)
    on_cluster = rest != text
    if not on_cluster:
        rest = text.removeprefix(_LOCAL)
    kind, colon, name = rest.partition(":")
    return Reference(name, kind, on_cluster) if colon and kind in _KINDS else Reference(rest, "", on_cluster)


def reference(thing: Any) -> Reference:
    """The reference to an object, a path or a text. Raises ``UsageError`` for what has no lineage."""
    if isinstance(thing, Reference):
        return thing
    if isinstance(thing, str):
        return parse(thing)
    if isinstance(thing, Path):
        return Reference(str(thing))
    if (found := reference_to_handle(thing)) is not None:
        return found
    raise UsageError(
        f"{type(thing).__name__} has no lineage: give a run, an artifact, a version or a reference"
    )


def reference_to_handle(thing: Any) -> Reference | None:
    """The reference to an artifact, a version, a run, a service or a monitor; None for anything else."""
    if isinstance(thing, Artifact):
        return Reference(thing.digest or thing.uri)
    on_cluster = f"{getattr(thing, 'backend', '')}:" == _CLUSTER
    if type(thing).__name__ in _NAMED:
        return Reference(_NAMED[type(thing).__name__] + thing.name, "", on_cluster)
    kind = _HANDLES.get(type(thing).__name__, "")
    name = getattr(thing, "ref" if kind else "id", None)
    known = kind or hasattr(thing, "backend")
    return Reference(name, kind, on_cluster) if known and isinstance(name, str) else None
