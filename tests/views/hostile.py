"""Objects of the model with the same words in every place that can hold words."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

OWN = {"Notebook": {"kind": "Notebook"}, "NotebookServer": {"kind": "Notebook", "state": "running"}}
"""Fields that hold one of kfnb's own words, whatever a cluster says."""


def filled(kind: Any, text: str) -> Any:
    """A value of that type, in which each word is ``text``, and each list has one item."""
    if kind in (str, Any, object):
        return text
    if kind in (int, float, bool):
        return kind(1)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    return _of_parts(kind, get_origin(kind), get_args(kind), text)


def _of_parts(kind: Any, origin: Any, of: tuple[Any, ...], text: str) -> Any:
    if origin is Literal:
        return of[0]
    if origin in (Union, types.UnionType):
        return filled(next((one for one in of if one is str), of[0]), text)
    if origin is tuple:
        return tuple(filled(one, text) for one in of if one is not Ellipsis)
    if origin is Sequence:
        return (filled(of[0], text),)
    if origin is not None and issubclass(origin, Mapping):
        return {filled(of[0], text): filled(of[1], text)}
    return _object(origin or kind, of, text)


def _object(kind: Any, of: tuple[Any, ...], text: str) -> Any:
    """A dataclass; ``of`` are what its type variables stand for."""
    values = {}
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if of and _is_of_variable(hint):
            hint = of[0]
        values[field.name] = None if "Callable" in str(hint) else filled(hint, text)
    return kind(**{**values, **OWN.get(kind.__name__, {})})


def _is_of_variable(hint: Any) -> bool:
    return isinstance(hint, TypeVar) or any(isinstance(one, TypeVar) for one in get_args(hint))
