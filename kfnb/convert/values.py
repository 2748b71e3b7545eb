"""Values of a compiled pipeline, as expressions of KFP's DSL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kfnb.errors import PipelineError

Resolve = Callable[[str], str]
"""Gives the expression for the name of an input."""

_PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")
_READ = r"inputs\.parameter_values\['(?P<{0}>[^']+)'\]"
_OPERAND = r"(?:(?:int|double|string|bool)\()*(?:" + _READ + r"|(?P<{1}>'(?:[^'\\]|\\.)*'|[-+.\w]+))\)*"
_CONDITION = re.compile(
    _OPERAND.format("left", "left_value")
    + r" (?P<operator>==|!=|<=|>=|<|>) "
    + _OPERAND.format("right", "right_value")
)
_ITEM = re.compile(r'parseJson\(string_value\)\["([^"]+)"\]')


def constant(value: Any, kind: str, resolve: Resolve) -> str:
    """A constant of that parameter type; placeholders in it become expressions."""
    if kind == "NUMBER_INTEGER" and isinstance(value, float):
        value = int(value)
    return _literal(value, resolve, top=True)


def condition(text: str, resolve: Resolve) -> str:
    """A condition of one comparison. Raises ``PipelineError`` for another."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise PipelineError(f"the condition {text} cannot be written in KFP's DSL", ref=text)
    sides = [
        resolve(found[side]) if found[side] else _cel(found[f"{side}_value"]) for side in ("left", "right")
    ]
    return f"{sides[0]} {found['operator']} {sides[1]}"


def item(expression: str, selector: str) -> str:
    """A part of a loop's item: ``item.key``."""
    found = _ITEM.fullmatch(selector)
    if found is None or not found[1].isidentifier():
        raise PipelineError(f"the expression {selector} cannot be written in KFP's DSL", ref=selector)
    return f"{expression}.{found[1]}"


def _literal(value: Any, resolve: Resolve, *, top: bool = False) -> str:
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and not top:
            return resolve(whole[1])
        return _text(value, resolve) if _PLACEHOLDER.search(value) else repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(_literal(one, resolve) for one in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{_literal(key, resolve)}: {_literal(one, resolve)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    return repr(value)


def _text(value: str, resolve: Resolve) -> str:
    """A text with placeholders as an f-string."""
    parts = _PLACEHOLDER.split(value)
    made = [
        "{" + resolve(part) + "}"
        if number % 2
        else repr('"' + part)[2:-1].replace("{", "{{").replace("}", "}}")
        for number, part in enumerate(parts)
    ]
    return "f'" + "".join(made) + "'"


def _cel(text: str) -> str:
    """A literal of CEL."""
    if text in ("true", "false"):
        return text.capitalize()
    return repr(re.sub(r"\\(.)", _unescaped, text[1:-1])) if text.startswith("'") else text


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], found[1])
