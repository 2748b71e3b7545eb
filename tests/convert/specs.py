"""When two compiled pipelines are equal: but for what they say of their making."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from kfnb.convert.executor_source import function_of

_COMMENTS = ("schemaVersion", "sdkVersion")


def comparable(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A PipelineSpec as it is compared: sources as syntax trees, and defaults where a task gives nothing."""
    made: dict[str, Any] = json.loads(json.dumps(spec))
    for key in _COMMENTS:
        made.pop(key, None)
    made.pop("defaultPipelineRoot", None)
    made.get("pipelineInfo", {}).pop("description", None)
    for name, executor in made.get("deploymentSpec", {}).get("executors", {}).items():
        if "container" in executor:
            executor["container"] = _container(name, executor)
    for component in [made["root"], *made["components"].values()]:
        for task in component.get("dag", {}).get("tasks", {}).values():
            _give_defaults(task, made["components"][task["componentRef"]["name"]])
        component.pop("outputDefinitions", None)
        component.get("dag", {}).pop("outputs", None)
    _without_numbers_of_subvars(made)
    return made


def _container(name: str, executor: Mapping[str, Any]) -> dict[str, Any]:
    source = function_of(name, executor)
    found = {**executor["container"], "packages": sorted(source.packages)}
    found["args"] = ast.unparse(_without_kfps_imports(ast.parse(source.text)))
    found.pop("command")
    return found


def _without_kfps_imports(tree: ast.Module) -> ast.Module:
    """Without the imports that each step of KFP's begins with, of which kfnb repeats those that annotations name."""
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    while isinstance(function.body[0], ast.ImportFrom) and function.body[0].module in (
        "typing",
        "kfp",
        "kfp.dsl",
    ):
        del function.body[0]
    return tree


def _give_defaults(task: dict[str, Any], component: Mapping[str, Any]) -> None:
    for name, definition in component.get("inputDefinitions", {}).get("parameters", {}).items():
        if "executorLabel" in component and "defaultValue" in definition:
            inputs = task.setdefault("inputs", {}).setdefault("parameters", {})
            inputs.setdefault(name, {"runtimeValue": {"constant": definition["defaultValue"]}})


def _without_numbers_of_subvars(spec: dict[str, Any]) -> None:
    """KFP gives a group, beside what it takes, parts of items of the loops in it, which it does not have."""
    for component in [spec["root"], *spec["components"].values()]:
        for task in component.get("dag", {}).get("tasks", {}).values():
            inputs = task.get("inputs", {}).get("parameters", {})
            for name in [one for one in inputs if "-subvar-" in one]:
                del inputs[name]
