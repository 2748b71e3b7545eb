"""In what a pipeline's steps run: each component's image and packages, as its PipelineSpec names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.backends.installs import packages

Json = Mapping[str, Any]


def environment_of(spec: Json) -> dict[str, str]:
    """What each component of a PipelineSpec runs in: ``{"train: image": ..., "train: packages": ...}``."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    return {
        f"{name.removeprefix('comp-')}: {part}": told
        for name, component in spec.get("components", {}).items()
        for part, told in _parts(executors.get(component.get("executorLabel"), {}).get("container", {}))
        if told
    }


def _parts(container: Json) -> Iterator[tuple[str, str]]:
    # the last part of a step's command is its program, whose text may be about anything
    scripts = [part for part in list(container.get("command", []))[:-1] if "pip install" in part]
    yield "image", str(container.get("image", ""))
    yield "packages", ", ".join(packages("\n".join(scripts)))
