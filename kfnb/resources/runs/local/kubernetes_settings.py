"""Reads the platform spec, which ``kfp-kubernetes`` adds to a pipeline: what each executor requests of Kubernetes.

Environment variables, mounts and time limits also work here. Everything else is about pods and nodes: it is listed in
``Demands.ignored``, for a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.resources.runs.local.pod_requirements import (
    Demands,
    Mounted,
    ResourceRequest,
    SourceKind,
    VariableSource,
)
from kfnb.resources.runs.local.value_sources import Constant, Source, read_source

Json = Mapping[str, Any]

_VARIABLES = {
    "secretAsEnv": (SourceKind.SECRET, "secretKey", "secretName", "secretNameParameter"),
    "configMapAsEnv": (SourceKind.CONFIG, "configMapKey", "configMapName", "configMapNameParameter"),
}
_FOLDERS = {
    "secretAsVolume": (SourceKind.SECRET, "secretName", "secretNameParameter"),
    "configMapAsVolume": (SourceKind.CONFIG, "configMapName", "configMapNameParameter"),
    "pvcMount": (SourceKind.VOLUME, "constant", "pvcNameParameter"),
    "emptyDirMounts": (SourceKind.SCRATCH, "volumeName", ""),
    "genericEphemeralVolume": (SourceKind.SCRATCH, "volumeName", ""),
}
_KNOWN = {*_VARIABLES, *_FOLDERS, "activeDeadlineSeconds"}


def settings_of(platform: Json | None) -> tuple[Json, Json]:
    """The Kubernetes part of a platform spec: its executors' settings by label, and the pipeline's."""
    kubernetes = (platform or {}).get("platforms", {}).get("kubernetes", {})
    return kubernetes.get("deploymentSpec", {}).get("executors", {}), kubernetes.get("pipelineConfig", {})


def read_demands(name: str, container: Json, settings: Json, problems: list[str]) -> Demands:
    """What the step ``name`` requests, in its container and its platform settings."""
    return Demands(
        resources=_resources(container.get("resources", {})),
        variables=tuple(_variables(name, settings, problems)),
        mounted=tuple(_mounted(name, settings, problems)),
        timeout=float(settings.get("activeDeadlineSeconds", 0)),
        ignored=tuple(_in_words(key) for key in settings if key not in _KNOWN),
    )


def _resources(resources: Json) -> ResourceRequest:
    accelerator = resources.get("accelerator", {})
    cpus = ("resourceCpuLimit", "cpuLimit", "resourceCpuRequest", "cpuRequest")
    memory = ("resourceMemoryRequest", "resourceMemoryLimit")
    model = str(accelerator.get("resourceType") or accelerator.get("type") or "")
    return ResourceRequest(
        cpu=next((resources[key] for key in cpus if resources.get(key)), ""),
        gpus=accelerator.get("resourceCount") or accelerator.get("count") or "",
        memory=next((resources[key] for key in memory if resources.get(key)), ""),
        gpu="" if "/" in model else model,  # nvidia.com/gpu is any model
    )


def _variables(step: str, settings: Json, problems: list[str]) -> Iterator[VariableSource]:
    for group, (kind, key, name, parameter) in _VARIABLES.items():
        for item in settings.get(group, ()):
            source = _name(step, item, name, parameter, problems)
            for pair in item.get("keyToEnv", ()):
                yield VariableSource(pair["envVar"], kind, source, pair[key], bool(item.get("optional")))


def _mounted(step: str, settings: Json, problems: list[str]) -> Iterator[Mounted]:
    for group, (kind, name, parameter) in _FOLDERS.items():
        for item in settings.get(group, ()):
            source = _name(step, item, name, parameter, problems)
            part, path = item.get("subPath", ""), item.get("mountPath", "")
            if not path.startswith("/") or ".." in path.split("/"):
                problems.append(f"{step} mounts at {path or 'no path'}, which is not an absolute path")
            elif part.startswith("/") or ".." in part.split("/"):
                problems.append(f"{step} mounts {part}, which is outside of its volume")
            else:
                yield Mounted(path.rstrip("/"), kind, source, part, bool(item.get("optional")))


def _name(step: str, item: Json, name: str, parameter: str, problems: list[str]) -> Source:
    """The name of a secret, config map or volume: a constant, or (in newer versions) a parameter."""
    if parameter in item:
        return read_source(item[parameter], step, problems)
    if name in item:
        return Constant(item[name])
    older = {key: item[key] for key in ("taskOutputParameter", "componentInputParameter") if key in item}
    return read_source(older, step, problems)


def _in_words(key: str) -> str:
    """``imagePullSecret`` as ``image pull secret``."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", key)
