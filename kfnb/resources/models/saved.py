"""Models that the steps of a run saved (``kf.save``) are registered when the run has succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, Task, data_of
from kfnb.errors import KfnbError
from kfnb.resources.models.checks import check_metrics, check_name
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.measured import SAVED
from kfnb.resources.models.registration import Registration, draft_of, registered, source_of


def register_saved(run: RunSnapshot, registry: Path, owner: str) -> list[str]:
    """Register what the tasks of a run saved with a name, in the registry in a folder; notes for the user.

    What cannot be registered is a note too: the run has succeeded. A retried run, or one whose outputs come from the
    cache, has the same content, and so registers nothing twice.
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


def data_behind(run: RunSnapshot, task: Task) -> tuple[str, ...]:
    """The versions of data sets that a task takes, and those that the tasks before it take."""
    by_id = {one.id: one for one in run.tasks}
    siblings = {(one.parent, one.name): one for one in run.tasks}
    found: set[str] = set()
    before: dict[str, Task] = {}
    pending = [task]
    while pending:
        one = pending.pop()
        if one.id in before:
            continue
        before[one.id] = one
        found |= {data_of(made.metadata) for made in one.artifacts.values()}
        names = {*one.needs, *(name for several in one.takes.values() for name in several)}
        needed = [siblings[one.parent, name] for name in names if (one.parent, name) in siblings]
        within = [
            inner for inner in run.tasks if any(inner.id.startswith(f"{group.id}/") for group in needed)
        ]
        pending += [*needed, *within, *([by_id[one.parent]] if one.parent in by_id else [])]
    return tuple(sorted(found - {""}))


def _register(
    run: RunSnapshot,
    task: Task,
    artifact: Artifact,
    entry: dict[str, Any],
    registry: LocalRegistry,
    owner: str,
) -> str:
    data = (str(entry["data"]),) if entry.get("data") else data_behind(run, task)
    known = Registration(
        name=check_name(entry["name"]),
        metrics=check_metrics(entry.get("metrics") or {}),
        parameters={name: value for name, value in task.inputs.items() if not isinstance(value, Artifact)},
        data=data,
        source=source_of(run, task.name),
        description=str(entry.get("description") or ""),
    )
    folder = Path(artifact.uri.removeprefix("file://")) / entry["folder"]
    version, notes = registered(registry, draft_of(known, folder, owner), folder)
    return "; ".join(
        [
            f"registered {version.ref}" + (f" (saved by {task.name})" if task.name else ""),
            *notes,
            *(f"warning: {text}" for text in entry.get("remarks") or ()),
        ]
    )
