"""Checks before a registry keeps anything: names, aliases, metrics, parameters, tags."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.model import VersionSnapshot

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_ALIAS = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_DATA = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}@[1-9][0-9]*")
LATEST = "latest"
"""The newest version in a reference. No alias may have this name."""


def check_name(name: str) -> str:
    """Return a valid model name. Raises ``UsageError`` for any other."""
    if not isinstance(name, str):
        raise UsageError(f"model name {name!r}: give a text", code="invalid-name")
    if _NAME.fullmatch(name):
        return name
    simple = re.sub("[^a-z0-9_.-]+", "-", name.lower()).strip("-_.")[:63]
    hint = f"did you mean {simple}?" if simple and simple != name else ""
    message = (
        f"model name {name!r}: use lower-case letters, digits, '-', '_' and '.',"
        " at most 63 of them, the first a letter or a digit"
    )
    raise UsageError(message, code="invalid-name", hint=hint, ref=name)


def check_alias(alias: str) -> str:
    """Return a valid name of an alias. Raises ``UsageError`` for any other."""
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
        message = "alias latest is reserved: it always names the newest version"
        raise UsageError(message, code="invalid-name", ref=alias)
    if not _ALIAS.fullmatch(alias):
        message = f"alias {alias!r}: use lower-case letters, digits, '-', '_' and '.', at most 63 of them"
        raise UsageError(f"{message}, the first a letter", code="invalid-name", ref=alias)
    return alias


def is_data_version(ref: str) -> bool:
    """Whether a text names a version of a data set by its number: ``churn-data@2``."""
    return _DATA.fullmatch(ref) is not None


def check_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Metrics as finite floats; NumPy's numbers are converted. Raises ``UsageError``."""
    if not isinstance(metrics, Mapping):
        raise UsageError(f"metrics={metrics!r}: give numbers by name", hint="such as {'accuracy': 0.9}")
    return {str(name): _number(str(name), value) for name, value in metrics.items()}


def check_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON has them: NumPy's numbers and arrays are converted, other objects become texts.

    Raises ``UsageError`` if they are not by name.
    """
    if not isinstance(parameters, Mapping):
        raise UsageError(f"parameters={parameters!r}: give values by name", hint="such as {'C': 0.5}")
    return {str(name): _plain(value) for name, value in parameters.items()}


def check_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags as texts. Raises ``UsageError`` if they are not by name."""
    if not isinstance(tags, Mapping):
        raise UsageError(f"tags={tags!r}: give texts by name", hint="such as {'team': 'risk'}")
    return {str(name): str(value) for name, value in tags.items()}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(
        value, "tolist"
    ):  # NumPy's scalars, such as numpy.float64, which is a float too, and its arrays
        value = value.tolist()
        return [_plain(one) for one in value] if isinstance(value, list) else _plain(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


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
