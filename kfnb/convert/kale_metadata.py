"""What Kale keeps in a notebook's metadata: the pipeline's name, its defaults, volumes, and Katib's experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.convert.draft import Flags
from kfnb.convert.kale_tags import read_settings
from kfnb.errors import NotebookError


@dataclass(frozen=True)
class KaleMetadata:
    """``flags`` are options of every step, ``tuning`` those of ``%kf_tune``, ``notes`` say what has no counterpart."""

    pipeline: str
    experiment: str = ""
    description: str = ""
    image: str = ""
    flags: Flags = ()
    tuning: str = ""
    notes: tuple[str, ...] = ()


def read_metadata(found: Any, stem: str) -> KaleMetadata:
    """Read it; a notebook without it is named after its file, ``stem``. Raises ``NotebookError``."""
    if not isinstance(found, Mapping):
        raise NotebookError("the notebook's metadata kubeflow_notebook is not an object")
    defaults = found.get("steps_defaults") or ()
    settings = read_settings(defaults if isinstance(defaults, Sequence) else (), "steps_defaults")
    volumes = [one for one in found.get("volumes") or () if isinstance(one, Mapping)]
    flags = [*settings.flags, *([("--no-cache", "")] if found.get("enable_caching") is False else [])]
    flags += [
        ("--pvc", f"{one.get('name')}:{one.get('mount_point')}")
        for one in volumes
        if one.get("type") == "pvc"
    ]
    katib = found.get("katib_metadata") if found.get("katib_run") else None
    return KaleMetadata(
        pipeline=str(found.get("pipeline_name") or stem),
        experiment=str(found.get("experiment_name") or ""),
        description=str(found.get("pipeline_description") or ""),
        image=str(found.get("base_image") or ""),
        flags=tuple(flags),
        tuning=_tuning(katib) if isinstance(katib, Mapping) else "",
        notes=(*settings.missing, *_missing(found, volumes)),
    )


def _missing(found: Mapping[str, Any], volumes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in volumes:
        if one.get("type") != "pvc":
            yield (
                f"volume {one.get('name')} at {one.get('mount_point')} is not an existing claim ({one.get('type')}):"
                " files that steps share are passed as artifacts; --pvc NAME:/PATH mounts a claim"
            )
    if found.get("docker_image"):
        yield f"docker_image {found['docker_image']} is left out, as it has Kale in it: --image sets a step's image"
    if found.get("timeout"):
        yield f"the pipeline's timeout of {found['timeout']} s is left out: --timeout limits a step"
    for key in ("security_context", "autosnapshot", "snapshot_volumes"):
        if found.get(key):
            yield f"the metadata {key} has no counterpart in kfnb"


def _tuning(katib: Mapping[str, Any]) -> str:
    """The options of ``%kf_tune`` for Katib's experiment."""
    objective = katib.get("objective") or {}
    metric = str(objective.get("objectiveMetricName", "")).replace("-", "_")
    options = [
        f"--objective {metric}" if metric else "",
        "--minimize" if objective.get("type") == "minimize" else "--maximize",
        f"--trials {katib['maxTrialCount']}" if katib.get("maxTrialCount") else "",
        f"--parallel {katib['parallelTrialCount']}" if katib.get("parallelTrialCount") else "",
        f'--space "{" ".join(map(_searched, katib.get("parameters") or ()))}"',
    ]
    return " ".join(filter(None, options))


def _searched(parameter: Mapping[str, Any]) -> str:
    """A parameter of Katib's, as ``%kf_tune`` writes it."""
    space = parameter.get("feasibleSpace") or {}
    name, listed = parameter.get("name", ""), space.get("list")
    if listed:
        return f"{name}=choice({','.join(map(str, listed))})"
    kind = "int" if parameter.get("parameterType") == "int" else "float"
    step = f",step={space['step']}" if space.get("step") else ""
    return f"{name}={kind}({space.get('min')},{space.get('max')}{step})"
