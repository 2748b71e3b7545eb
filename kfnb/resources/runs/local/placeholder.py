"""Placeholders in a spec's values, filled where and as KFP fills them.

Its driver fills those of the run and the task (``{{$.pipeline_job_name}}``) if they are the whole value. Its launcher
fills those of the inputs (``{{$.inputs.parameters['rows']}}``) in a step's values and a container's arguments, always
as text: ``[train.output, 2]`` holds a text and a number. Unknown placeholders stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import Artifact
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.text.parameter_values import text

_PLACEHOLDER = re.compile(r"\{\{\$\.(.*?)\}\}")
_INPUT = re.compile(r"inputs\.(?P<what>parameters|artifacts)\['(?P<name>[^']*)'\](?P<field>\.(?:uri|path))?")
_WORKSPACE = "workspace_path"
RUN_WORDS = frozenset(
    {
        "pipeline_job_name",
        "pipeline_job_resource_name",
        "pipeline_job_uuid",
        "pipeline_task_name",
        "pipeline_task_uuid",
        "pipeline_job_create_time_utc",
        "pipeline_job_schedule_time_utc",
    }
)
"""The placeholders that KFP's driver fills if they are the whole value."""

_SHOWN = 60


@dataclass(frozen=True)
class Context:
    """What placeholders can refer to: the step's inputs, and further ``words`` by their names."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def of_run(value: Any, words: Mapping[str, str]) -> Any:
    """A constant as KFP's driver passes it on: filled if it is a placeholder of the run or the task."""
    if not isinstance(value, str):
        return value
    value = value.replace(f"{{{{$.{_WORKSPACE}}}}}", words.get(_WORKSPACE, ""))
    whole = _PLACEHOLDER.fullmatch(value)
    return words[whole[1]] if whole and whole[1] in RUN_WORDS else value


def fill(value: Any, context: Context, write: Callable[[Any], str] = text) -> Any:
    """``value`` with its placeholders filled in by ``write``. Raises ``StepFault`` for an input without a value."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: _text(found, context, write), value)
    if isinstance(value, list):
        return [fill(item, context, write) for item in value]
    if isinstance(value, dict):
        return {fill(name, context, write): fill(item, context, write) for name, item in value.items()}
    return value


def in_json(value: Any) -> str:
    """``value`` as KFP's launcher writes it into a step's values, which are JSON then. Raises ``StepFault``.

    The launcher escapes nothing: a quote, a backslash or a line break makes it fail or changes the value.
    """
    filled = text(value)
    if json.dumps(filled, ensure_ascii=False) != f'"{filled}"':
        raise StepFault(
            f"a text or list among its arguments is filled with {filled[:_SHOWN]!r}, and KFP cannot fill in quotes,"
            " backslashes and line breaks: build the text in a step"
        )
    return filled


def unfilled(value: Any, *, inputs: bool) -> Iterator[str]:
    """The placeholders in a constant that KFP does not fill; ``inputs``: it fills those of the inputs."""
    if isinstance(value, str):
        for found in _PLACEHOLDER.finditer(value):
            filled = found[1] == _WORKSPACE or (found[1] in RUN_WORDS and found[0] == value)
            if not filled and not (inputs and _INPUT.fullmatch(found[1])):
                yield found[0]
    elif isinstance(value, list | dict):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from unfilled(item, inputs=inputs)


def _text(found: re.Match[str], context: Context, write: Callable[[Any], str]) -> str:
    value = _lookup(found[1], context)
    return found[0] if value is None else write(value)


def _lookup(name: str, context: Context) -> Any:
    """The value of a placeholder; None for an unknown placeholder."""
    if name in context.words:
        return context.words[name]
    found = _INPUT.fullmatch(name)
    if found is None or (found["what"] == "artifacts") != bool(found["field"]):
        return None
    given = context.parameters if found["what"] == "parameters" else context.artifacts
    if found["name"] not in given:
        raise StepFault(f"a text or list among its arguments refers to {found['name']}, which has no value")
    value = given[found["name"]]
    if found["what"] == "parameters":
        return value
    first = value[0] if isinstance(value, list) and value else value
    return first.uri if isinstance(first, Artifact) else None
