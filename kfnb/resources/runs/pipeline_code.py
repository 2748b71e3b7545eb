"""What a pipeline's code is known by: the digest of its spec, and of the program of each component."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from kfnb.resources.runs.step_code import code_digest

_CELL_NUMBER = re.compile(r"(# cell [^\n]*?)\[\d+\](, line \d+)")
"""A cell's number in a step's source: a cell that is run again without a change gets another one."""


def digest_of_spec(*parts: Any) -> str:
    """The digest of a PipelineSpec, and of its platform's part, alike for cells that were only run again."""
    data = _plain(parts[0] if len(parts) == 1 else list(parts))
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def code_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """The digest of the program of each component, alike for cells that were only run again."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    found = {}
    for name, component in spec.get("components", {}).items():
        container = executors.get(component.get("executorLabel"), {}).get("container", {})
        program = [*_own_command(container), *container.get("args", [])]
        if program:
            found[name.removeprefix("comp-")] = code_digest(json.dumps(_plain(program)))
    return found


def without_installs(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec without what its steps install: packages are compared by themselves."""
    deployment = spec.get("deploymentSpec", {})
    executors = {name: _bare(one) for name, one in deployment.get("executors", {}).items()}
    return {**spec, "deploymentSpec": {**deployment, "executors": executors}}


def _bare(executor: Mapping[str, Any]) -> Mapping[str, Any]:
    container = executor.get("container")
    return (
        {**executor, "container": {**container, "command": _own_command(container)}}
        if container
        else executor
    )


def _own_command(container: Mapping[str, Any]) -> list[str]:
    """The command of a container without the scripts that install packages; its last part is the program."""
    command = list(container.get("command", []))
    return [part for part in command[:-1] if "pip install" not in part] + command[-1:]


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(data[key]) for key in sorted(data)}
    if isinstance(data, list):
        return [_plain(one) for one in data]
    return _CELL_NUMBER.sub(r"\1\2", data) if isinstance(data, str) else data
