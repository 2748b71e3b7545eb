"""Keeping secrets out of a manifest, whatever its facts were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kfnb.diagnostics import redact
from kfnb.entities.manifest import Layer
from kfnb.text.variables import is_secret

_SAFE = frozenset({"packages", "packages_digest", "variables", "flags", "cells"})
"""Facts without a text that anyone chose freely; names of variables are not their values."""


def without_secrets(layer: Layer) -> Layer:
    """A layer with ``***`` in place of what is a secret, or looks like one."""
    facts = {name: one if name in _SAFE else _value(name, one) for name, one in layer.facts.items()}
    return replace(layer, facts=facts)


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return "***" if value and is_secret(name, "") else redact(value)
    if isinstance(value, Mapping):
        return {str(key): _value(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(name, one) for one in value]
    return "***" if is_secret(name, "") and isinstance(value, int) and not isinstance(value, bool) else value
