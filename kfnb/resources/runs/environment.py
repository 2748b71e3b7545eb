"""In what a pipeline's steps run: each component's image and packages, as its PipelineSpec names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.resources.runs.installs import packages

Json = Mapping[str, Any]

FROM_STUDY = "arguments from study "
"""How a run says which trial of which study its arguments are from."""


def environment_of(spec: Json) -> dict[str, str]:
    """What each component of a PipelineSpec runs in: ``{"train: image": ..., "train: packages": ...}``."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    return {
        f"{name.removeprefix('comp-')}: {part}": told
        for name, component in spec.get("components", {}).items()
        for part, told in _parts(executors.get(component.get("executorLabel"), {}).get("container", {}))
        if told
    }


def of_study(text: str) -> dict[str, str]:
    """The study that a run's description or note tells of, as part of its environment; nothing where it tells none."""
    return {"study": text.removeprefix(FROM_STUDY)} if text.startswith(FROM_STUDY) else {}


def _parts(container: Json) -> Iterator[tuple[str, str]]:
    # the last part of a step's command is its program, whose text may be about anything
    scripts = [part for part in list(container.get("command", []))[:-1] if "pip install" in part]
    yield "image", str(container.get("image", ""))
    yield "packages", ", ".join(packages("\n".join(scripts)))
