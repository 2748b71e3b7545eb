"""What is known of a model that is registered, and how a registry takes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.entities import RunSnapshot
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.model import ModelSource, VersionSnapshot
from kfnb.resources.models.packing import facts_of


@dataclass(frozen=True)
class Registration:
    """What is known of a model that is registered, beside the model."""

    name: str
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
        owner=owner,
        created=time.time(),
        description=known.description,
        tags=known.tags,
    )


def source_of(run: RunSnapshot | None, task: str = "") -> ModelSource:
    """What a version of a run is from, by KEP-12020's fields; without a run, a notebook."""
    if run is None:
        return ModelSource()
    return ModelSource("kfp", "pipelinerun", run.id, run.name, "", task, run.backend)
