"""Search spaces as people write them: ``lr=log(1e-5,1e-1) layers=int(1,6) act=choice(relu,tanh)``, or a dict."""

from __future__ import annotations

import ast
import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.studies.model import Dimension, Value

FORMS = ("float", "log", "int", "choice")
"""The words that a dimension is written with."""

_ITEM = re.compile(r"[\s,]*(?P<name>[^\s=,()]+)\s*=\s*(?P<form>\w+)\s*\(")
_EXAMPLE = 'write it as "lr=log(1e-5,1e-1) layers=int(1,6) act=choice(relu,tanh) drop=float(0,0.5,step=0.1)"'
_NUMBERS = 2
"""The bounds that a range has."""


def read_space(space: str | Mapping[str, Any]) -> tuple[Dimension, ...]:
    """A space from its text or from a dict. Raises ``UsageError`` with the dimension that is wrong, and how.

    A dict gives for each name a form as in a text (``"log(1e-5,1e-1)"``), a tuple of two bounds (of ints for an int),
    a tuple of a form's word and its numbers (``("log", 1e-5, 1e-1)``), a list of choices, or a ``Dimension``.
    """
    items = _from_text(space) if isinstance(space, str) else _from_mapping(space)
    found: dict[str, Dimension] = {}
    for dimension in items:
        if dimension.name in found:
            raise UsageError(f"the space has {dimension.name} more than once")
        found[dimension.name] = dimension
    if not found:
        raise UsageError(f"the space is empty: {_EXAMPLE}")
    return tuple(found.values())


# -- what a dimension may be ----------------------------------------------------------------------------------


def real(name: str, low: float, high: float, *, step: float = 0.0, log: bool = False) -> Dimension:
    """A float from ``low`` to ``high``. Raises ``UsageError``."""
    first, last, by = (_number(name, value) for value in (low, high, step))
    return _checked(Dimension(name, "float", first, last, by, log=bool(log)))


def whole(name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> Dimension:
    """An int from ``low`` to ``high``. Raises ``UsageError``."""
    first, last, by = (_number(name, value) for value in (low, high, step))
    if not all(number.is_integer() for number in (first, last, by)):
        raise UsageError(
            f"{name} is an int: its bounds and step must be whole numbers; use float(...) for others"
        )
    return _checked(Dimension(name, "int", first, last, by, log=bool(log)))


def choice(name: str, choices: Sequence[Value]) -> Dimension:
    """One of ``choices``, which are all texts, all numbers or all true or false. Raises ``UsageError``."""
    values = [_plain(value) for value in choices]
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        values = [float(value) for value in values]
        kinds = {float}
    if len(kinds) != 1 or not kinds <= {int, float, str, bool}:
        raise UsageError(
            f"{name}: the choices must be all texts, all numbers, or all True or False, not {values!r}"
            if values
            else f"{name}: choice() has no choices"
        )
    if len(set(values)) < len(values):
        raise UsageError(f"{name}: a choice is given more than once in {values!r}")
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise UsageError(f"{name}: a choice is not a finite number in {values!r}")
    return _checked(Dimension(name, "choice", choices=tuple(values)))


def _plain(value: Any) -> Any:
    """A value of NumPy's as Python's own; everything else unchanged."""
    return value.item() if type(value).__module__ == "numpy" and not value.shape else value


def _number(name: str, value: Any) -> float:
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{name}: {value!r} is not a finite number")
    return float(value)


def _checked(dimension: Dimension) -> Dimension:
    name, low, high = dimension.name, dimension.low, dimension.high
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
        raise UsageError(f"{name} is not a valid name of a parameter: use letters from A to Z, digits and _")
    if dimension.kind == "choice":
        return dimension
    if low >= high:
        raise UsageError(f"{name} is from {low:g} to {high:g}: the first bound must be the lower one")
    if not math.isfinite(high - low):
        raise UsageError(f"{name} lies from {low:g} to {high:g}: that is too far for a number")
    if dimension.log and low <= 0:
        raise UsageError(f"{name} is on a logarithmic scale, whose lower bound must be above 0, not {low:g}")
    if dimension.step < 0 or dimension.step > high - low:
        raise UsageError(f"{name}: step {dimension.step:g} does not fit between {low:g} and {high:g}")
    if dimension.kind == "int" and not dimension.step:
        raise UsageError(f"{name}: the step of an int must be 1 or more")
    if dimension.log and dimension.step not in (0, 1 if dimension.kind == "int" else 0):
        raise UsageError(f"{name}: a logarithmic scale has no steps")
    return dimension


def type_of(dimension: Dimension) -> str:
    """The Python type of a dimension's values."""
    return type(dimension.choices[0]).__name__ if dimension.kind == "choice" else dimension.kind


def start_of(dimension: Dimension) -> Any:
    """What a parameter is in a trial that does not have it: its first choice, or its lower bound."""
    if dimension.kind == "choice":
        return dimension.choices[0]
    return int(dimension.low) if dimension.kind == "int" else dimension.low


def drawn(dimension: Dimension, chance: random.Random) -> Value:
    """A value of a dimension, at random."""
    return placed(dimension, chance.random())


def placed(dimension: Dimension, share: float) -> Value:
    """The value at a share of a dimension, from 0 to less than 1; equal shares are equally likely values."""
    if dimension.kind == "choice":
        return dimension.choices[int(share * len(dimension.choices))]
    low, high = dimension.low, dimension.high
    if dimension.log:
        number = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        within = min(high, max(low, number))
        return round(within) if dimension.kind == "int" else within
    if not dimension.step:
        return low + share * (high - low)
    steps = int(share * (math.floor((high - low) / dimension.step + 1e-9) + 1))
    return int(low) + steps * int(dimension.step) if dimension.kind == "int" else at_step(dimension, steps)


def at_step(dimension: Dimension, steps: int) -> float:
    """The lower bound plus a number of steps, as one writes it: 0.3, not 0.30000000000000004."""
    return float(Decimal(repr(dimension.low)) + steps * Decimal(repr(dimension.step)))


# -- reading --------------------------------------------------------------------------------------------------


def _from_text(text: str) -> Iterator[Dimension]:
    place = 0
    while text[place:].strip(" \t\n,"):
        found = _ITEM.match(text, place)
        if found is None:
            raise UsageError(f"the space cannot be read at {text[place:].strip(' ,')!r}: {_EXAMPLE}")
        end = _closing(text, found.end() - 1)
        if end is None:
            raise UsageError(f"{found['name']}: a bracket or a quotation is not closed in {text!r}")
        yield _form(found["name"], found["form"], text[found.end() : end])
        place = end + 1


def _closing(text: str, start: int) -> int | None:
    """Where the bracket that opens at ``start`` closes."""
    depth, quote, place = 0, "", start
    while place < len(text):
        character = text[place]
        if quote:
            place += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if not depth:
                return place
        place += 1
    return None


def _form(name: str, form: str, inside: str) -> Dimension:
    """A dimension by its form's word, and the text in the form's brackets."""
    try:
        call = ast.parse(f"f({inside.strip()})", mode="eval").body
        assert isinstance(call, ast.Call)
        values = [_literal(node) for node in call.args]
        named = {str(keyword.arg): _literal(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError):
        raise UsageError(
            f"{name}={form}({inside}) cannot be read: put a choice of several words into quotes"
        ) from None
    return _made(name, form, values, named)


def _literal(node: ast.expr) -> Any:
    """A value as it is written; a bare word is a text."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _made(name: str, form: str, values: Sequence[Any], named: Mapping[str, Any]) -> Dimension:
    if form not in FORMS:
        close = get_close_matches(form, FORMS, 1)
        raise UsageError(
            f"{name}: unknown form {form}; "
            + (f"did you mean {close[0]}?" if close else f"the forms are {', '.join(FORMS)}")
        )
    if form == "choice":
        if named:
            raise UsageError(f"{name}: choice(...) takes the choices alone")
        return choice(name, values)
    known = {"float": ("step", "log"), "int": ("step", "log"), "log": ()}[form]
    for word in named:
        if word not in known:
            raise UsageError(
                f"{name}: {form}(low, high) has no {word}; it takes {', '.join(known) or 'no more'}"
            )
    if not _NUMBERS <= len(values) <= _NUMBERS + (form != "log"):
        raise UsageError(f"{name}: {form} takes two bounds, as {form}({'1,6' if form == 'int' else '0.1,1'})")
    if form == "log":
        return real(name, *values, log=True)
    more = dict(zip(("step",), values[_NUMBERS:], strict=False)) | dict(named)
    return (
        whole(name, *values[:_NUMBERS], **more) if form == "int" else real(name, *values[:_NUMBERS], **more)
    )


def _from_mapping(space: Mapping[str, Any]) -> Iterator[Dimension]:
    for name, given in space.items():
        if isinstance(given, Dimension):
            yield _checked(given)
        elif isinstance(given, str):
            read = list(_from_text(f"{name}={given}"))
            if len(read) != 1:
                raise UsageError(f'{name}: give one form, as "log(1e-5,1e-1)", not {given!r}')
            yield read[0]
        elif isinstance(given, list):
            yield choice(name, given)
        elif isinstance(given, tuple) and given:
            yield _from_tuple(name, given)
        else:
            raise UsageError(
                f'{name}: give a form ("log(1e-5,1e-1)"), two bounds in a tuple, or a list of choices, not {given!r}'
            )


def _from_tuple(name: str, given: tuple[Any, ...]) -> Dimension:
    given = tuple(map(_plain, given))
    if isinstance(given[0], str) and given[0] in FORMS:
        form, values = given[0], given[1:]
        return choice(name, values) if form == "choice" else _made(name, form, values, {})
    kind = "int" if all(type(value) is int for value in given) else "float"
    return _made(name, kind, given, {})
