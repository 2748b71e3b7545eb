"""Placeholders in a spec's values: ``{{$.inputs.parameters['rows']}}``, ``{{$.pipeline_job_name}}`` and their kin.

In a text a placeholder becomes text, as on the cluster. An element of a list or a dict that is one placeholder and
nothing else becomes the value itself, so that ``[train.output, 2]`` holds two numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.backends.local.faults import StepFault
from kfnb.backends.local.values import text
from kfnb.model import Artifact

_PLACEHOLDER = re.compile(r"\{\{\$\.(.*?)\}\}")
_INPUT = re.compile(
    r"inputs\.(?P<what>parameters|artifacts)\['(?P<name>[^']*)'\]"
    r"(?:\.(?P<field>uri|path|name|metadata)(?:\['(?P<key>[^']*)'\])?)?"
)
_UNKNOWN = object()


@dataclass(frozen=True)
class Context:
    """What placeholders can speak of: the step's inputs, and the run's own ``words`` by their names."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def fill(value: Any, context: Context) -> Any:
    """``value`` with its placeholders filled in. Raises ``StepFault`` for one that names an input without a value.

    Those of other kinds, which mean something to containers alone, stay as they are.
    """
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: _text(found, context), value)
    if isinstance(value, list):
        return [_element(item, context) for item in value]
    if isinstance(value, dict):
        return {fill(name, context): _element(item, context) for name, item in value.items()}
    return value


def _element(item: Any, context: Context) -> Any:
    whole = _PLACEHOLDER.fullmatch(item) if isinstance(item, str) else None
    found = _look_up(whole[1], context) if whole else _UNKNOWN
    return fill(item, context) if found is _UNKNOWN else found


def _text(found: re.Match[str], context: Context) -> str:
    value = _look_up(found[1], context)
    return found[0] if value is _UNKNOWN else text(value)


def _look_up(name: str, context: Context) -> Any:
    if name in context.words:
        return context.words[name]
    asked = _INPUT.fullmatch(name)
    if asked is None:
        return _UNKNOWN
    if asked["name"] not in (context.parameters if asked["what"] == "parameters" else context.artifacts):
        raise StepFault(f"a text or list that it is given speaks of {asked['name']}, which has no value")
    if asked["what"] == "parameters":
        return context.parameters[asked["name"]]
    return _of_artifact(context.artifacts[asked["name"]], asked["field"], asked["key"])


def _of_artifact(artifact: Any, wanted: str | None, key: str | None) -> Any:
    if not isinstance(artifact, Artifact):
        return _UNKNOWN
    if wanted == "metadata":
        return dict(artifact.metadata) if key is None else artifact.metadata.get(key, _UNKNOWN)
    return artifact.name if wanted == "name" else artifact.uri
