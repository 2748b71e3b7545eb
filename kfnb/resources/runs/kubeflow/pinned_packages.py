"""The packages of a recorded environment in the pods of a run: installed after those that each step asks for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_PROGRAM = '&& "$0" "$@"'
"""The end of the script that KFP's compiler writes before a step's program."""


def with_packages(spec: Json, packages: Sequence[str]) -> Json:
    """The pipeline whose Python steps also install exactly these packages, each pinned; as it is without any."""
    deployment = spec.get("deploymentSpec", {})
    executors = deployment.get("executors", {})
    if not packages or not executors:
        return spec
    pinned = {name: _pinned(one, packages) for name, one in executors.items()}
    return {**spec, "deploymentSpec": {**deployment, "executors": pinned}}


def _pinned(executor: Json, packages: Sequence[str]) -> Json:
    container = executor.get("container") or {}
    command = list(container.get("command") or ())
    if not any("pip install" in part for part in command[:-1]):
        return executor
    words = " ".join(map(shlex.quote, packages))
    install = f"&& python3 -m pip install --quiet --no-warn-script-location --no-deps {words} {_PROGRAM}"
    own = [install.join(part.rsplit(_PROGRAM, 1)) if "pip install" in part else part for part in command[:-1]]
    return {**executor, "container": {**container, "command": [*own, *command[-1:]]}}
