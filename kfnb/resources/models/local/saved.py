"""Models that the steps of a run saved (``kf.save``) are registered when the run has succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, Task
from kfnb.errors import KfnbError
from kfnb.resources.models.checks import check_metrics, check_name
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.registration import Registration, draft_of, register_draft, source_of
from kfnb.resources.models.run_data import data_behind, data_of_saved
from kfnb.resources.models.unregistered import SAVED


def register_saved(run: RunSnapshot, registry: Path, owner: str) -> list[str]:
    """Register the named models that the tasks of a run saved, in the registry in a folder. Return notes for the user.

    A model that cannot be registered is a note too, since the run has succeeded. A retried run, or one whose outputs
    come from the cache, has the same content, and registers nothing twice.
    """
    notes = []
    for task, artifact in _artifacts(run):
        for entry in _entries(artifact):
            try:
                notes.append(_register(run, task, artifact, entry, LocalRegistry(registry), owner))
            except KfnbError as error:
                notes.append(f"model {entry['name']} of {task.name} is not registered: {error}")
    return notes


def _artifacts(run: RunSnapshot) -> Iterator[tuple[Task, Artifact]]:
    for task in run.tasks:
        yield from (
            (task, one) for one in task.outputs.values() if isinstance(one, Artifact) and not task.group
        )


def _entries(artifact: Artifact) -> Iterator[dict[str, Any]]:
    """What a step says that it saved with a name; it may write any metadata, and other shapes are left out."""
    saved = artifact.metadata.get(SAVED)
    for entry in saved if isinstance(saved, list) else ():
        named = isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"]
        if named and entry.get("folder") == entry["name"]:
            yield entry


def _register(
    run: RunSnapshot,
    task: Task,
    artifact: Artifact,
    entry: dict[str, Any],
    registry: LocalRegistry,
    owner: str,
) -> str:
    data = data_of_saved(entry, data_behind(run, task))
    known = Registration(
        name=check_name(entry["name"]),
        metrics=check_metrics(entry.get("metrics") or {}),
        parameters={name: value for name, value in task.inputs.items() if not isinstance(value, Artifact)},
        data=data,
        source=source_of(run, task.name),
        description=str(entry.get("description") or ""),
    )
    folder = Path(artifact.uri.removeprefix("file://")) / entry["folder"]
    version, notes = register_draft(registry, draft_of(known, folder, owner), folder)
    return "; ".join(
        [
            f"registered {version.ref}" + (f" (saved by {task.name})" if task.name else ""),
            *notes,
            *(f"warning: {text}" for text in entry.get("remarks") or ()),
        ]
    )
