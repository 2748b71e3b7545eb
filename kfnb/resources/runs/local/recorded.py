"""What the tasks of a run ran on: each step records it when it ends (``capture.embedded.layers``), and it is read here.

=======================  =====================================================================
``origin.json``          of a run: the layers of the notebook that started it
``packages/`` (home)     lists of installed packages by their digest, shared by all runs
``environments/``        of a run: layers by their digest, shared by tasks that have the same
``tasks/<id>/layers``    the digest of a task's
=======================  =====================================================================
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kfnb.entities import Task
from kfnb.entities.manifest import Layer, LayerName, RunRecord, StepEnvironment
from kfnb.entities.manifest_json import read_layers
from kfnb.jobs.folder import JobFolder
from kfnb.resources.runs.local.folder import RunFolder
from kfnb.text.shorten import some

ORIGIN = "origin.json"
_ENVIRONMENTS = "environments"
_LAYERS = "layers"
_PACKAGES = "packages"


def places(folder: Path, home: Path, task: Path) -> dict[str, str]:
    """Where a step of the run in ``folder`` records what it ran on, and where the code for that is."""
    return {
        "code": str(Path(__file__).parents[3]),
        "packages": str(home / _PACKAGES),
        "environments": str(folder / _ENVIRONMENTS),
        "file": str(task / _LAYERS),
    }


def record_of(folder: RunFolder, tasks: Sequence[Task]) -> RunRecord:
    """What was recorded of a run with these tasks."""
    origin = _json(folder.path / ORIGIN)
    origin = origin if isinstance(origin, Mapping) else {}
    layers, notes = read_layers(origin.get("layers", {}))
    if not layers:
        notes = (*notes, "what the notebook was is not recorded")
    found, more = _environments(folder, [task.id for task in tasks if not task.group])
    known = {id for one in found for id in one.tasks}
    notes = (*notes, *more, *_missing(tasks, known))
    return RunRecord(layers, str(origin.get("stage", "")), tuple(found), notes)


def _missing(tasks: Sequence[Task], known: Container[str]) -> Iterator[str]:
    """Notes on tasks that have not recorded what they ran on."""
    cached = [task.id for task in tasks if task.cached]
    if cached:
        yield f"from the cache, and run on what an earlier run had: {some(cached)}"
    unknown = [
        task.id
        for task in tasks
        if task.started and task.state.finished and not (task.cached or task.group) and task.id not in known
    ]
    if unknown:
        yield f"not recorded, as the process was killed, is a container or ran none: {some(unknown)}"


def record_of_trials(folder: JobFolder, trials: Sequence[str]) -> RunRecord:
    """What was recorded of a study's workers, which run one program: the last one that began."""
    digest = _text(folder.path / _LAYERS)
    if not digest:
        return RunRecord(notes=("what its trials ran on is not recorded",))
    found, notes = _environment(folder, digest, trials)
    return RunRecord(environments=(found,), notes=tuple(notes))


def _environments(folder: RunFolder, tasks: Iterable[str]) -> tuple[list[StepEnvironment], list[str]]:
    """What the tasks with these ids ran on, that of most of them first; and notes on what cannot be read."""
    ids: dict[str, list[str]] = {}
    for task in tasks:
        digest = _text(folder.path / "tasks" / task / _LAYERS)
        if digest:
            ids.setdefault(digest, []).append(task)
    found, notes = [], []
    for digest, own in sorted(ids.items(), key=lambda item: -len(item[1])):
        environment, damages = _environment(folder, digest, own)
        found.append(environment)
        notes += damages
    return found, notes


def _environment(folder: JobFolder, digest: str, tasks: Sequence[str]) -> tuple[StepEnvironment, list[str]]:
    """An environment by its digest, and notes on what of it cannot be read."""
    layers, damages = read_layers(_json(folder.path / _ENVIRONMENTS / f"{digest}.json"))
    found = StepEnvironment(digest, tuple(tasks), _with_packages(layers, folder.home))
    return found, [f"{note} of {some(tasks, 3)}" for note in damages]


def _with_packages(layers: Iterable[Layer], home: Path) -> tuple[Layer, ...]:
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
