"""The environment of a pipeline's steps: each component's image and packages, from its PipelineSpec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.resources.runs.installs import packages

Json = Mapping[str, Any]

FROM_STUDY = "arguments from study "
"""The prefix of a run's description that names the study and the trial of its arguments."""


def environment_of(spec: Json) -> dict[str, str]:
    """The environment of each component of a PipelineSpec: ``{"train: image": ..., "train: packages": ...}``."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    return {
        f"{name.removeprefix('comp-')}: {part}": text
        for name, component in spec.get("components", {}).items()
        for part, text in _parts(executors.get(component.get("executorLabel"), {}).get("container", {}))
        if text
    }


def of_study(text: str) -> dict[str, str]:
    """The study in a run's description or note, as part of its environment; empty if there is none."""
    return {"study": text.removeprefix(FROM_STUDY)} if text.startswith(FROM_STUDY) else {}


def stage_of(origin: Json) -> dict[str, str]:
    """The stage that a run is labelled with, as part of its environment; empty for none."""
    return {"stage": origin["stage"]} if origin.get("stage") else {}


def _parts(container: Json) -> Iterator[tuple[str, str]]:
    # the last part of a step's command is its program, whose text may be about anything
    scripts = [part for part in list(container.get("command", []))[:-1] if "pip install" in part]
    yield "image", str(container.get("image", ""))
    yield "packages", ", ".join(packages("\n".join(scripts)))
