"""Environment variables that steps read and pods do not have: noted before a run, and passed on request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.errors import BackendError
from kfnb.sourcemap import mark_generated
from kfnb.text.variables import OF_A_POD, computes_names, defaulted_by, is_secret, read_by

Json = Mapping[str, Any]


def cautions(
    spec: Json, platform: Json | None, here: Mapping[str, str], passed: Mapping[str, str]
) -> Iterator[str]:
    """Notes, a line each, on variables that steps read and that are set ``here`` but not in the pods."""
    lacking: dict[str, list[str]] = {}
    for label, executor in _executors(spec).items():
        has = {*OF_A_POD, *passed, *_given(executor, _settings(platform, label))}
        for name in read_by(_program(executor)):
            if name in here and name not in has and not name.startswith("KUBERNETES_"):
                lacking.setdefault(name, []).append(label.removeprefix("exec-"))
    for name, steps in sorted(lacking.items()):
        yield (
            f"{', '.join(steps)} {'reads' if len(steps) == 1 else 'read'} {name}, which is set here and not in the pod,"
            f" unless its image sets it: {how_to_give(name, here[name])}"
        )


def how_to_give(name: str, value: str) -> str:
    """How to give a pod a variable."""
    if is_secret(name, value):
        return f"store it in a Kubernetes secret, and add --secret NAME:KEY={name} to the component"
    return f"--env {name} passes the value"


def with_variables(spec: Json, platform: Json | None, passed: Mapping[str, str]) -> Json:
    """The pipeline whose steps get the variables ``passed``: the steps that read one, or all if none is known to.

    A step's own setting of a variable is kept. Raises ``BackendError`` for a value that looks like a secret.
    """
    for name, value in passed.items():
        if is_secret(name, value):
            raise BackendError(
                f"--env {name}: the value looks like a secret, and anyone who can see the run could read it:"
                f" {how_to_give(name, value)}; if it is not a secret, add --env {name}=VALUE to the component"
            )
    executors = _executors(spec)
    for name, value in passed.items():
        programs = {label: _program(executor) for label, executor in executors.items()}
        readers = {label for label, text in programs.items() if name in (*read_by(text), *defaulted_by(text))}
        computing = {label for label, text in programs.items() if computes_names(text)}
        for label in readers | computing if readers else executors:
            if name not in _given(executors[label], _settings(platform, label)):
                executors = {**executors, label: _with(executors[label], name, value)}
    if not passed:
        return spec
    return {**spec, "deploymentSpec": {**spec.get("deploymentSpec", {}), "executors": executors}}


def _with(executor: Json, name: str, value: str) -> Json:
    container = executor.get("container")
    if not container:
        return executor
    command = list(container.get("command") or ())
    if command and _function(executor):
        # KFP's cache key has a step's command and image, but not its variables
        command[-1] += f"\n{mark_generated(f'with {name}={json.dumps(value)}')}\n"
    env = [*(container.get("env") or ()), {"name": name, "value": value}]
    return {**executor, "container": {**container, **({"command": command} if command else {}), "env": env}}


def _program(executor: Json) -> str:
    """The source of the Python function that an executor runs; empty for other executors."""
    command = (executor.get("container") or {}).get("command") or ()
    return str(command[-1]) if command and _function(executor) else ""


def _function(executor: Json) -> bool:
    """Whether an executor runs a Python function, whose source is the last argument of its command."""
    return "--function_to_execute" in ((executor.get("container") or {}).get("args") or ())


def _given(executor: Json, settings: Json) -> set[str]:
    """The variables that an executor gets from its component."""
    plain = {one.get("name", "") for one in (executor.get("container") or {}).get("env") or ()}
    groups = ("secretAsEnv", "configMapAsEnv")
    held = [pair for group in groups for item in settings.get(group, ()) for pair in item.get("keyToEnv", ())]
    fields = {one.get("name", "") for one in settings.get("fieldPathAsEnv", ())}
    return {*plain, *(pair.get("envVar", "") for pair in held), *fields}


def _executors(spec: Json) -> dict[str, Json]:
    return dict(spec.get("deploymentSpec", {}).get("executors", {}))


def _settings(platform: Json | None, label: str) -> Json:
    kubernetes = (platform or {}).get("platforms", {}).get("kubernetes", {})
    found: Json = kubernetes.get("deploymentSpec", {}).get("executors", {}).get(label, {})
    return found
