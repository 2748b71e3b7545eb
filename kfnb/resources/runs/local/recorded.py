"""What the tasks of a run ran on: each step records it when it ends (``capture.embedded.layers``), and it is read here.

=======================  =====================================================================
``packages/`` (home)     lists of installed packages by their digest, shared by all runs
``environments/``        of a run: layers by their digest, shared by tasks that have the same
``tasks/<id>/layers``    the digest of a task's
=======================  =====================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import kfnb
from kfnb.entities.manifest import Layer, LayerName, StepEnvironment
from kfnb.entities.manifest_json import read_layers
from kfnb.resources.runs.local.folder import RunFolder

_ENVIRONMENTS = "environments"
_LAYERS = "layers"
_PACKAGES = "packages"


def places(folder: Path, home: Path, task: Path) -> dict[str, str]:
    """Where a step of the run in ``folder`` records what it ran on, and where the code for that is."""
    return {
        "code": str(Path(kfnb.__file__).parent),
        "packages": str(home / _PACKAGES),
        "environments": str(folder / _ENVIRONMENTS),
        "file": str(task / _LAYERS),
    }


def environments(folder: RunFolder, tasks: Iterable[str]) -> tuple[list[StepEnvironment], list[str]]:
    """What the tasks with these ids ran on, that of most of them first; and notes on what cannot be read."""
    ids: dict[str, list[str]] = {}
    for task in tasks:
        digest = _text(folder.path / "tasks" / task / _LAYERS)
        if digest:
            ids.setdefault(digest, []).append(task)
    found, notes = [], []
    for digest, own in sorted(ids.items(), key=lambda item: -len(item[1])):
        layers, damages = read_layers(_json(folder.path / _ENVIRONMENTS / f"{digest}.json"))
        notes += [f"{note} of {', '.join(own[:3])}" for note in damages]
        found.append(StepEnvironment(digest, tuple(own), with_packages(layers, folder.home)))
    return found, notes


def with_packages(layers: Iterable[Layer], home: Path) -> tuple[Layer, ...]:
    """Layers with the list of packages that they name by its digest."""
    return tuple(_listed(layer, home) if layer.name is LayerName.FRAMEWORK else layer for layer in layers)


def _listed(framework: Layer, home: Path) -> Layer:
    digest = framework.facts.get("packages_digest")
    if not isinstance(digest, str) or not digest.isalnum():
        return framework
    packages = _json(home / _PACKAGES / f"{digest}.json")
    if not isinstance(packages, Mapping):
        return framework + Layer(LayerName.FRAMEWORK, {}, {"packages": "the list in the home cannot be read"})
    return framework + Layer(LayerName.FRAMEWORK, {"packages": packages})


def _json(file: Path) -> Any:
    try:
        return json.loads(_text(file))
    except ValueError:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
