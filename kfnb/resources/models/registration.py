"""What is known of a model that is registered, and how a registry takes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.entities import RunSnapshot
from kfnb.errors import UsageError
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.measurements import remarks
from kfnb.resources.models.model import ModelSource, VersionSnapshot
from kfnb.resources.models.packing import facts_of


@dataclass(frozen=True)
class Registration:
    """What is known of a model that is registered, beside the model."""

    name: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    source: ModelSource = field(default_factory=ModelSource)
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def draft_of(known: Registration, folder: Path, owner: str) -> VersionSnapshot:
    """A model folder, and what is known beside it, as a registry takes them."""
    facts = facts_of(folder)
    return VersionSnapshot(
        name=known.name,
        version=0,
        digest=folder_digest(folder),
        format=facts.format,
        size=sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()),
        metrics=known.metrics,
        parameters=known.parameters,
        data=known.data,
        metrics_data=known.data[0] if len(known.data) == 1 and known.metrics else "",
        source=known.source,
        signature=facts.signature,
        packages=facts.packages or {},
        python=facts.python,
        transform=facts.transform,
        owner=owner,
        created=time.time(),
        description=known.description,
        tags=known.tags,
    )


def registered(
    registry: ModelRegistry, draft: VersionSnapshot, folder: Path
) -> tuple[VersionSnapshot, list[str]]:
    """Register a version: it, and what the user should know if its content was there already."""
    here = registry.name == "local"
    before = _same(registry, draft) if here else None
    version = registry.register(draft, folder)
    if not here:  # to ask a cluster what was there before costs more than to compare what is there now
        before = version
    found = remarks(before, draft, version) if before else []
    notes = [f"{version.ref} has this content already: {'; '.join(found)}"] if found else []
    if draft.metrics and len(draft.data) > 1 and not draft.metrics_data:
        notes.append(
            f"{version.ref} is not ranked, as it was measured on {' or '.join(draft.data)}: register it again with that"
            " one alone, or name it in kf.save(data=...)"
        )
    return version, notes


def _same(registry: ModelRegistry, draft: VersionSnapshot) -> VersionSnapshot | None:
    """The version that has the content of a draft already."""
    try:
        versions = registry.versions(VersionQuery(name=draft.name, archived=True, outline=True))
    except UsageError as error:
        if error.code != "not-found":
            raise
        return None
    number = next((one.version for one in versions if one.digest == draft.digest), None)
    return None if number is None else registry.version(draft.name, number)


def source_of(run: RunSnapshot | None, task: str = "") -> ModelSource:
    """What a version of a run is from, by KEP-12020's fields; without a run, a notebook."""
    if run is None:
        return ModelSource()
    return ModelSource("kfp", "pipelinerun", run.id, run.name, "", task, run.backend)
