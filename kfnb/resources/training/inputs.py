"""The inputs of a training as the run takes them: the kernel's values, as arguments and as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kfnb.capture.embedded import transform_files, values
from kfnb.capture.embedded.values import kfnb_save
from kfnb.capture.values import ValueKind
from kfnb.entities import Artifact


def written(inputs: Mapping[str, ValueKind], namespace: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values of ``inputs`` as arguments of a run; those that are artifacts are written into ``folder``."""
    return {
        name: namespace[name] if kind.parameter else _file(name, namespace[name], kind, folder, namespace)
        for name, kind in inputs.items()
    }


def _file(name: str, value: Any, kind: ValueKind, folder: Path, namespace: Mapping[str, Any]) -> Artifact:
    """A value as an artifact in ``folder``, as a step would write it."""
    file = SimpleNamespace(path=str(folder / name), metadata={})
    writers = {**vars(values), **vars(transform_files)}
    kfnb_save(value, file, _definitions(namespace), writers.get(kind.writer))
    return Artifact(name, f"system.{kind.type}", file.path, file.metadata)


def _definitions(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook's own classes and functions, which are pickled by name."""
    return {
        name: one
        for name, one in namespace.items()
        if getattr(one, "__module__", "") == "__main__" and callable(one)
    }
