"""What is checked of a model before a registry gets it: its name, aliases, metrics, parameters and tags."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.model import VersionSnapshot

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_ALIAS = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
LATEST = "latest"
"""What a reference calls the newest version. No alias has that name."""


def check_name(name: str) -> str:
    """The name of a model, if it may be one. Raises ``UsageError``."""
    if not isinstance(name, str):
        raise UsageError(f"model name {name!r}: give a text", code="invalid-name")
    if _NAME.fullmatch(name):
        return name
    simple = re.sub("[^a-z0-9_.-]+", "-", name.lower()).strip("-_.")[:63]
    hint = f"{simple} would do" if simple and simple != name else ""
    message = (
        f"model name {name!r}: use lower-case letters, digits, '-', '_' and '.',"
        " at most 63 of them, the first a letter or a digit"
    )
    raise UsageError(message, code="invalid-name", hint=hint, ref=name)


def check_alias(alias: str) -> str:
    """The name of an alias, if it may be one. Raises ``UsageError``."""
    if not isinstance(alias, str):
        raise UsageError(f"alias {alias!r}: give a text", code="invalid-name")
    if alias.isdigit():
        raise UsageError(
            f"alias {alias!r} is a number, and numbers are versions:",
            code="invalid-name",
            hint="use a word such as champion",
            ref=alias,
        )
    if alias == LATEST:
        message = "alias latest: the newest version has this name already"
        raise UsageError(message, code="invalid-name", ref=alias)
    if not _ALIAS.fullmatch(alias):
        message = f"alias {alias!r}: use lower-case letters, digits, '-', '_' and '.', at most 63 of them"
        raise UsageError(f"{message}, the first a letter", code="invalid-name", ref=alias)
    return alias


def check_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Metrics as finite floats; NumPy's numbers are converted. Raises ``UsageError``."""
    if not isinstance(metrics, Mapping):
        raise UsageError(f"metrics={metrics!r}: give numbers by name", hint="such as {'accuracy': 0.9}")
    return {str(name): _number(str(name), value) for name, value in metrics.items()}


def check_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as values of JSON; NumPy's numbers are converted. Raises ``UsageError``."""
    if not isinstance(parameters, Mapping):
        raise UsageError(f"parameters={parameters!r}: give values by name", hint="such as {'C': 0.5}")
    found = {}
    for name, value in parameters.items():
        try:
            found[str(name)] = json.loads(json.dumps(value, default=_plain))
        except (TypeError, ValueError):
            message = f"parameter {name} is of type {type(value).__name__}:"
            hint = "give numbers, texts, and lists and dicts of them"
            raise UsageError(message, hint=hint, ref=str(name)) from None
    return found


def check_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags as texts. Raises ``UsageError``."""
    if not isinstance(tags, Mapping):
        raise UsageError(f"tags={tags!r}: give texts by name", hint="such as {'team': 'risk'}")
    return {str(name): str(value) for name, value in tags.items()}


def _plain(value: Any) -> Any:
    """A number or an array of NumPy, or a path, as JSON has it. Raises ``TypeError`` for others."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return os.fspath(value)


def _number(name: str, value: Any) -> float:
    plain = value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise UsageError(f"metric {name} is {value!r}: a metric must be a finite number", ref=name)
    try:
        number = float(plain)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"metric {name} is {number}: a metric must be a finite number", ref=name)
    return number


def check_draft(draft: VersionSnapshot) -> None:
    """Raise ``UsageError`` unless a registry can keep the version."""
    check_name(draft.name)
    check_metrics(draft.metrics)
