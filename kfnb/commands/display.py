"""How results are shown: what a noun's ``display`` says of each of its classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb import registry


@dataclass(frozen=True)
class Display:
    """How objects of one class are shown. They may be asked anew for it: a view itself fetches nothing.

    ``bundle`` is the mimebundle, with at least ``text/plain``; ``data`` is what ``--json`` prints.
    """

    bundle: Callable[[Any], Mapping[str, str]]
    data: Callable[[Any], Any]


def display_of(thing: Any) -> Display:
    """How an object is shown. Raises ``LookupError`` where no noun says."""
    kind = type(thing)
    noun = registry.noun_of_display(f"{kind.__module__}.{kind.__qualname__}")
    if noun is None:
        raise LookupError(f"no noun displays {kind.__name__}")
    display: Display = noun.module("display").DISPLAYS[kind]
    return display


def bundle(thing: Any) -> dict[str, str]:
    """An object as a mimebundle."""
    return dict(display_of(thing).bundle(thing))


def as_json(thing: Any, *, indent: int | None = 2) -> str:
    """An object as ``--json`` prints it."""
    return json.dumps(display_of(thing).data(thing), indent=indent, default=str)
