"""Models that the steps of a run saved (``kf.save``) are registered when the run has succeeded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, Task
from kfnb.errors import KfnbError, NotFound
from kfnb.resources.models.checks import check_metrics, check_name
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.registration import Registration, draft_of, register_draft, source_of
from kfnb.resources.models.run_data import data_behind, data_of_saved
from kfnb.resources.models.saved_metadata import SAVED


@dataclass(frozen=True)
class Destination:
    """Where a run's models are registered, and for whom; ``data_store`` has the data that they name."""

    registry: Path
    data_store: str
    owner: str


@dataclass(frozen=True)
class SavedModel:
    """A model that a task saved with a name, in an artifact, and what its step says of it."""

    task: Task
    artifact: Artifact
    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name, which is that of its folder in the artifact too. The step may have written any text."""
        return str(self.entry["name"])

    def not_registered(self, error: KfnbError) -> str:
        """The note for the user that it could not be registered."""
        return f"model {self.name} of {self.task.id} is not registered: {error}"


def register_saved(run: RunSnapshot, to: Destination) -> list[str]:
    """Register the named models that the tasks of a run saved. Return notes for the user.

    A model that cannot be registered is a note too, since the run has succeeded. A retried run, or one whose outputs
    come from the cache, has the same content, and registers nothing twice.
    """
    notes = []
    for model in saved_models(run):
        try:
            notes.append(register_model(run, model, to))
        except KfnbError as error:
            notes.append(model.not_registered(error))
    return notes


def saved_models(run: RunSnapshot) -> Iterator[SavedModel]:
    """The models that the tasks of a run saved with a name."""
    for task in run.tasks:
        for artifact in () if task.group else task.artifacts.values():
            for entry in _entries(artifact):
                yield SavedModel(task, artifact, entry)


def _entries(artifact: Artifact) -> Iterator[dict[str, Any]]:
    """What a step says that it saved with a name; it may write any metadata, and other shapes are left out."""
    saved = artifact.metadata.get(SAVED)
    for entry in saved if isinstance(saved, list) else ():
        named = isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"]
        if named and entry.get("folder") == entry["name"]:
            yield entry


def register_model(run: RunSnapshot, model: SavedModel, to: Destination) -> str:
    """Register a model in a folder of this machine. Return the note for the user. Raises ``KfnbError``."""
    task, entry = model.task, model.entry
    behind = data_behind(run, task)
    data, measured_on, doubt = _data_of(entry, behind, to.data_store)
    known = Registration(
        name=check_name(model.name),
        metrics=check_metrics(entry.get("metrics") or {}),
        parameters={name: value for name, value in task.inputs.items() if not isinstance(value, Artifact)},
        data=data,
        measured_on=measured_on,
        source=source_of(run, task.id),
        code=task.code,
        description=str(entry.get("description") or ""),
    )
    folder = Path(model.artifact.uri.removeprefix("file://")) / model.name
    version, notes = register_draft(LocalRegistry(to.registry), draft_of(known, folder, to.owner), folder)
    warnings = [f"warning: {text}" for text in entry.get("remarks") or ()]
    return "; ".join([f"registered {version.ref} (saved by {task.id})", *doubt, *notes, *warnings])


def _data_of(
    entry: Mapping[str, Any], behind: Mapping[str, str], data_store: str
) -> tuple[Mapping[str, str], str, list[str]]:
    """The data of a model, the version that it was measured on, and notes. An unknown version is left out."""
    ref = str(entry.get("data") or "")
    found = data_of_saved(entry, behind)
    if not ref or ref in behind or not data_store:
        return found, ref, []
    from kfnb.resources.datasets.location import store_at
    from kfnb.resources.datasets.reference import parse_ref

    try:
        return {**behind, ref: store_at(data_store).get(*parse_ref(ref)).identity}, ref, []
    except NotFound as error:
        return behind, "", [f"without data={ref}, which does not exist: {error}"]
    except KfnbError as error:
        return found, ref, [f"cannot check that data={ref} exists: {error}"]
