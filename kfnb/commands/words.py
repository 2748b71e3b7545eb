"""Words that several magics have, and what single words mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kfnb.capture.notebook import DeclaredParameter
from kfnb.capture.values import PARAMETER_TYPES
from kfnb.errors import UsageError
from kfnb.text.literals import read_literal

NOTEBOOK_TAIL = 200
"""Lines of a log that a notebook shows, where no other number is asked for."""


def parameter(text: str) -> DeclaredParameter:
    """``rows:int=300`` as a parameter: the type defaults to the default's, a default is optional with a type.

    Raises ``UsageError``.
    """
    head, equals, tail = text.partition("=")
    name, _, kind = (part.strip() for part in head.partition(":"))
    if not (name.isidentifier() and name.isascii()):
        raise UsageError(
            f"--param {text}: write name:type=default, the name in letters from A to Z, digits and _"
        )
    default = read_literal(tail) if equals else None
    kind = kind or (type(default).__name__ if default is not None else "str")
    if kind not in PARAMETER_TYPES:
        raise UsageError(
            f"--param {text}: {kind} is not a parameter type; the types are {', '.join(PARAMETER_TYPES)}"
        )
    if kind == "str" and equals:
        default = default if isinstance(default, str) else tail
    if kind == "float" and type(default) is int:
        default = float(default)
    if default is not None and type(default).__name__ != kind:
        raise UsageError(f"--param {text}: {default!r} is not of type {kind}")
    return DeclaredParameter(name, kind, default)


def quantity(text: str, option: str, units: str, example: str) -> str:
    """A quantity as Kubernetes writes it, or nothing. Raises ``UsageError``."""
    if text and not re.fullmatch(rf"\d+(\.\d+)?({units})?", text):
        raise UsageError(f"{option} {text}: write it as Kubernetes does, {example}")
    return text


def count(number: int, option: str) -> int:
    """A number that is not negative. Raises ``UsageError``."""
    if number < 0:
        raise UsageError(f"{option} {number}: give a number from 0 on")
    return number


def checked_seed(number: int) -> int:
    """A seed that all generators take. Raises ``UsageError``."""
    if not 0 <= number < 2**32:
        raise UsageError(f"--seed {number}: give a number from 0 to {2**32 - 1}")
    return number


def unique(names: Sequence[str], what: str) -> None:
    """Raise ``UsageError`` where a name is given more than once."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} {name} is given more than once")
