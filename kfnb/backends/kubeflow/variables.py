"""Environment variables that steps read and pods do not have: told before a run, and passed on where that is asked."""

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
    """What will differ in the pods, in a line each: variables that steps read, that are set ``here``, and not there."""
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
    """What to do so that a pod has a variable."""
    if is_secret(name, value):
        return f"put it into a Kubernetes secret, and give the component --secret NAME:KEY={name}"
    return f"--env {name} passes the value"


def with_variables(spec: Json, platform: Json | None, passed: Mapping[str, str]) -> Json:
    """The pipeline whose steps have the variables ``passed``: those that read one, or all where none is known to.

    What a step's own component says of a variable stands. Raises ``BackendError`` for what looks like a secret.
    """
    for name, value in passed.items():
        if is_secret(name, value):
            raise BackendError(
                f"--env {name}: it looks like a secret, and anyone who may see the run could read it:"
                f" {how_to_give(name, value)}; for a value that is none, give the component --env {name}=VALUE"
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
        # KFP finds an earlier run of a step by its command and its image, whatever its variables are
        command[-1] += f"\n{mark_generated(f'with {name}={json.dumps(value)}')}\n"
    env = [*(container.get("env") or ()), {"name": name, "value": value}]
    return {**executor, "container": {**container, **({"command": command} if command else {}), "env": env}}


def _program(executor: Json) -> str:
    """The text of the function of Python that an executor runs; empty for any other."""
    command = (executor.get("container") or {}).get("command") or ()
    return str(command[-1]) if command and _function(executor) else ""


def _function(executor: Json) -> bool:
    """Whether an executor runs a function of Python, whose text is the last word of its command."""
    return "--function_to_execute" in ((executor.get("container") or {}).get("args") or ())


def _given(executor: Json, settings: Json) -> set[str]:
    """The variables that an executor has by what its component asks for."""
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
