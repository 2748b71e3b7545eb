"""What is known of a model that is registered, and how a registry takes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, Task
from kfnb.resources.models.checks import check_parameters
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import ModelRegistry
from kfnb.resources.models.measurements import remarks
from kfnb.resources.models.model import ModelSource, VersionSnapshot
from kfnb.resources.models.packer import facts_of
from kfnb.target import namespace


@dataclass(frozen=True)
class Registration:
    """What is known of a model that is registered, beside the model.

    ``data`` are digests by reference, or empty. ``measured_on`` is the reference of the version that the metrics were
    measured on; without it, it is the only one of ``data``.
    """

    name: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    measured_on: str = ""
    source: ModelSource = field(default_factory=ModelSource)
    code: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def draft_of(known: Registration, folder: Path, owner: str) -> VersionSnapshot:
    """A model folder, and what is known beside it, as a registry takes them."""
    facts = facts_of(folder)
    measured_on = known.measured_on or (next(iter(known.data)) if len(known.data) == 1 else "")
    return VersionSnapshot(
        name=known.name,
        version=0,
        digest=folder_digest(folder),
        format=facts.format,
        size=sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()),
        metrics=known.metrics,
        parameters=check_parameters(known.parameters),
        data=tuple(known.data),
        data_digests={ref: digest for ref, digest in known.data.items() if digest},
        metrics_data=measured_on if known.metrics else "",
        source=known.source,
        code=known.code,
        signature=facts.signature,
        packages=facts.packages or {},
        python=facts.python,
        transform=facts.transform,
        owner=owner,
        created=time.time(),
        description=known.description,
        tags=known.tags,
    )


def register_draft(
    registry: ModelRegistry, draft: VersionSnapshot, folder: Path
) -> tuple[VersionSnapshot, list[str]]:
    """Register a version. Return it with notes for the user, as on what was not kept of content that exists."""
    before = registry.by_digest(draft.name, draft.digest)
    version = registry.register(draft, folder)
    found = remarks(before, draft, version) if before else []
    notes = [f"{version.ref} has this content already: {'; '.join(found)}"] if found else []
    if draft.metrics and len(draft.data) > 1 and not draft.metrics_data:
        notes.append(
            f"{version.ref} is not ranked, as it was measured on {' or '.join(draft.data)}: register it again with that"
            " one alone, or name it in kf.save(data=...)"
        )
    return version, notes


def source_of(run: RunSnapshot | None, task: str = "") -> ModelSource:
    """The source of a version that a run made, by KEP-12020's fields; without a run, a notebook. ``task`` is an id."""
    if run is None:
        return ModelSource()
    group = namespace() if run.backend == "kubeflow" else ""
    return ModelSource("kfp", "pipelinerun", run.id, run.name, group, task, run.backend)


def maker_of(run: RunSnapshot | None, model: Any) -> Task | None:
    """The task of a run that made an artifact; None for what no task of it made."""
    if run is None or not isinstance(model, Artifact):
        return None
    made = (one for one in run.tasks if not one.group and model in one.outputs.values())
    return next(made, None)
