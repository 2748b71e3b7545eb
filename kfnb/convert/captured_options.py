"""The options of a captured component's cell, from what its compiled step and tasks say."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from kfnb.convert.captured_step import CapturedStep
from kfnb.convert.dsl_body import Call, DslBody
from kfnb.convert.task_calls import calls_of
from kfnb.pipeline.pipeline import default_image
from kfnb.pipeline.spec import parameter_type

_OPTIONS = {"set_cpu_limit": "--cpu", "set_memory_limit": "--memory"}


def call_of(
    step: CapturedStep, tasks: Sequence[tuple[str, Mapping[str, Any]]], executor: Mapping[str, Any]
) -> Call:
    """How a captured component is called: the settings that its cell has are not repeated at its tasks."""
    return Call(step.source.name, step.names(), tuple(name for name, _ in _settings(step, tasks, executor)))


def flags_of(
    step: CapturedStep,
    component: Mapping[str, Any],
    tasks: Sequence[tuple[str, Mapping[str, Any]]],
    executor: Mapping[str, Any],
    body: DslBody,
) -> Iterator[tuple[str, str]]:
    """The options of the first cell."""
    if not step.is_function:
        yield from _params(step, component, body)
    yield from (flag for _, flag in _settings(step, tasks, executor))
    for one in step.source.packages:
        if step.is_function or not _is_installed(one):
            yield "--package", one
    if step.source.image != default_image():
        yield "--image", step.source.image


def _params(step: CapturedStep, component: Mapping[str, Any], body: DslBody) -> Iterator[tuple[str, str]]:
    """The parameters: the arguments that have a default, or that no task gives an output."""
    defaults, names = step.defaults(), step.names()
    for name, one in (component.get("inputDefinitions", {}).get("parameters") or {}).items():
        given = body.given.get((step.source.name, name), ())
        if name in defaults or not any(".outputs[" in text for text in given):
            written = f"{names.get(name, name)}:{parameter_type(one)}"
            yield "--param", f"{written}={defaults[name]}" if name in defaults else written


def _settings(
    step: CapturedStep, tasks: Sequence[tuple[str, Mapping[str, Any]]], executor: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The settings that all tasks of the component have, as KFP's call and as an option."""
    for call in calls_of(*tasks[0], executor) if tasks and not step.is_function else ():
        if not all(call in calls_of(*task, executor) for task in tasks):
            continue
        node = ast.parse(call, mode="eval").body
        assert isinstance(node, ast.Call)
        name, values = ast.unparse(node.func), [ast.literal_eval(one) for one in node.args]
        if name in _OPTIONS:
            yield name, (_OPTIONS[name], str(values[0]))
        elif name == "set_env_variable" and "\n" not in values[1]:
            yield name, ("--env", f"{values[0]}={values[1]}")
        elif call == "set_caching_options(False)":
            yield name, ("--no-cache", "")
        elif name == "set_retry" and step.retries:
            yield name, ("--retries", step.retries)


def _is_installed(requirement: str) -> bool:
    """Whether this environment has that version, as kfnb then finds the requirement itself."""
    name, _, pinned = requirement.partition("==")
    try:
        return version(name.partition("[")[0]) == pinned
    except PackageNotFoundError:
        return False
