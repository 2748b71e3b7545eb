"""Manifests from what is known of runs, versions of models and this kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kfnb.capture.embedded.layers import kfnb_layers
from kfnb.entities import Artifact, RunSnapshot, Task, data_digest_of, data_of
from kfnb.entities.manifest import Layer, LayerName, Manifest, RunRecord, joined_layers
from kfnb.entities.manifest_json import read_layers
from kfnb.resources.models.model import VersionSnapshot
from kfnb.resources.provenance.origin import kernel_model, notebook_layers
from kfnb.resources.provenance.secrets import without_secrets
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.studies.model import StudySnapshot
from kfnb.settings import settings

HERE = "here"


def of_kernel() -> Manifest:
    """The manifest of this kernel: its notebook, and what it runs on."""
    here, _ = read_layers(kfnb_layers())
    layers = joined_layers(here, (kernel_model(), *notebook_layers()))
    return _safe(Manifest(HERE, "kernel", time.time(), "local", settings().stage, layers))


def of_run(run: RunSnapshot, record: RunRecord) -> Manifest:
    """The manifest of a run, from its state and from what was recorded of it."""
    first = record.environments[0].layers if record.environments else ()
    storage = Layer(LayerName.STORAGE, {"inputs": dict(_read(run.tasks))})
    layers = joined_layers(first, record.origin, (_model_of(run), storage))
    kind = "training" if any(task.ranks for task in run.tasks) else "run"
    return _safe(
        Manifest(
            run.id,
            kind,
            run.created or 0.0,
            run.backend,
            record.stage,
            layers,
            record.environments,
            record.notes,
        )
    )


def of_version(version: VersionSnapshot, run: Manifest | None, task: str = "") -> Manifest:
    """The manifest of a version of a model: that of the task that made it, and what the registry knows of it."""
    own = {
        "digest": version.digest,
        "format": version.format,
        "parameters": dict(version.parameters),
        "metrics": dict(version.metrics),
    }
    known = {ref: version.data_digests.get(ref, "") for ref in version.data}
    if run is None:
        packages = {name: {"version": number} for name, number in version.packages.items()}
        kept = (
            Layer(LayerName.MODEL, {**own, "data": known}),
            Layer(LayerName.FRAMEWORK, {"packages": packages}),
            Layer(LayerName.TOOLING, {"python": version.python} if version.python else {}),
        )
        note = "only what the registry has is known: the run that made it is not there"
        return _safe(Manifest(version.ref, "model", version.created, layers=kept, notes=(note,)))
    made = run.of_task(task)
    facts = {name: one for name, one in made[LayerName.MODEL].facts.items() if name != "outputs"}
    facts = {**facts, **own, "data": {**facts.get("data", {}), **known}}
    layers = (Layer(LayerName.MODEL, facts), *(layer for layer in made if layer.name is not LayerName.MODEL))
    return _safe(
        replace(made, ref=version.ref, kind="model", created=version.created, layers=layers, environments=())
    )


def of_service(service: ServiceSnapshot, version: Manifest) -> Manifest:
    """The manifest of a service: that of the version that serves, and which others do."""
    served = {f"{one.model}@{one.version}": one.digest for one in service.desired.targets}
    layers = joined_layers(version.layers, (Layer(LayerName.MODEL, {"served": served}),))
    note = f"the layers below are of what made {version.ref}, the version that it serves by default"
    return _safe(
        replace(
            version,
            ref=service.name,
            kind="service",
            created=service.created or 0.0,
            backend=service.backend,
            layers=layers,
            notes=(note, *version.notes),
        )
    )


def of_study(study: StudySnapshot, run: Manifest | None, record: RunRecord) -> Manifest:
    """The manifest of a study: its search, and what its best trial ran on."""
    best = study.best
    search = {
        "pipeline": study.subject,
        "algorithm": study.algorithm,
        "space": {one.name: str(one) for one in study.space},
        "parameters": dict(best.params) if best else {},
        "metrics": {study.objective.metric: best.value if best else None},
    }
    environments = run.environments if run else record.environments
    below = run.layers if run else environments[0].layers if environments else ()
    layers = joined_layers(below, (Layer(LayerName.MODEL, search),))
    return _safe(
        Manifest(
            study.name,
            "study",
            study.created or 0.0,
            study.backend,
            run.stage if run else "",
            layers,
            environments,
            run.notes if run else record.notes,
        )
    )


def _model_of(run: RunSnapshot) -> Layer:
    tasks = [task for task in run.tasks if not task.group]
    facts: dict[str, Any] = {
        "pipeline": run.pipeline,
        "arguments": dict(run.arguments),
        "outputs": {f"{task.id}.{name}": one for task in tasks for name, one in _made(task)},
        "metrics": {f"{task.id}.{name}": value for task in tasks for name, value in task.metrics.items()},
    }
    data = {
        data_of(one.metadata): data_digest_of(one.metadata) or one.digest
        for task in tasks
        for one in task.artifacts.values()
        if data_of(one.metadata)
    }
    return Layer(LayerName.MODEL, {**facts, **({"data": data} if data else {})})


def _made(task: Task) -> Iterator[tuple[str, Any]]:
    """The outputs of a task: parameters as they are, artifacts by their digest."""
    for name, value in task.outputs.items():
        if isinstance(value, Artifact):
            yield name, f"sha256:{value.digest}" if value.digest else None
        elif not isinstance(value, list | tuple) or not any(isinstance(one, Artifact) for one in value):
            yield name, value


def _read(tasks: Sequence[Task]) -> Iterator[tuple[str, Any]]:
    """The artifacts that tasks took from outside the run: their addresses and digests."""
    made = {one.uri for task in tasks if task.inputs for one in task.artifacts.values()}
    for task in tasks:
        for name, value in task.inputs.items():
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(one, Artifact) and one.uri not in made and not task.group:
                    yield f"{task.id}.{name}", {"uri": one.uri, "digest": one.digest or None}


def _safe(manifest: Manifest) -> Manifest:
    environments = (
        replace(one, layers=tuple(map(without_secrets, one.layers))) for one in manifest.environments
    )
    layers = tuple(map(without_secrets, manifest.layers))
    return replace(manifest, layers=layers, environments=tuple(environments))
