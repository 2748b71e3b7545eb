"""The conditions of If, Elif and Else as text: KFP's compiler writes them as CEL over generated inputs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

_INPUT = re.compile(r"inputs\.parameter_values\['([^']+)'\]")
_CAST = re.compile(r"\b(?:int|double|bool|string)\(([^()]+)\)")
_LOOP_ITEM = "loop-item"
_LONGEST_VALUE = 40


def words(condition: str) -> str:
    """A branch by its condition: ``if accuracy > 0.9``, ``else if accuracy > 0.5``, ``else``; empty without one.

    KFP writes ``Else`` as the negation of all earlier conditions.
    """
    if not condition:
        return ""
    first, own = _parts(condition)
    if own.startswith("!("):
        return "else"
    shown = _with(own, _names(condition))
    return f"if {shown}" if first else f"else if {shown}"


def decided(condition: str, values: Mapping[str, Any], *, taken: bool) -> str:
    """The result of a condition with these ``values`` of its inputs: ``0.93 > 0.9: taken``.

    For an ``Elif`` or an ``Else``, which depend on earlier conditions: ``accuracy = 0.93: not taken``. Empty if a value
    is unknown.
    """
    names = _names(condition)
    if not condition or any(name not in values for name in names):
        return ""
    shown = {name: _value(values[name]) for name in names}
    first, own = _parts(condition)
    statement = _with(own, shown) if first else ", ".join(f"{names[name]} = {shown[name]}" for name in names)
    outcome = "taken" if taken else "not taken"
    return f"{statement}: {outcome}" if statement else outcome


def _parts(condition: str) -> tuple[bool, str]:
    """Whether a condition is that of an ``If``, and the part of the condition that is not from earlier branches."""
    earlier, _, own = condition.rpartition(" && ")
    if own.startswith("!(") or earlier.startswith("!("):
        return False, own
    return True, condition


def _names(condition: str) -> dict[str, str]:
    """Readable names of the inputs in a condition: an output's name, with its task's name if that is ambiguous."""
    found = dict.fromkeys(_INPUT.findall(condition))
    short = {name: _name(name) for name in found}
    several = {one for one, count in Counter(short.values()).items() if count > 1}
    return {name: _whole(name) if label in several else label for name, label in short.items()}


def _name(name: str) -> str:
    """``accuracy`` for ``pipelinechannel--evaluate-accuracy``: names of outputs have no dash."""
    task, dash, output = _whole(name).rpartition("-")
    if _LOOP_ITEM in name:
        return name.partition("-subvar-")[2] or "item"
    # the return value of a function has no name
    return task if dash and output == "Output" else output


def _whole(name: str) -> str:
    return name.removeprefix("pipelinechannel--")


def _with(condition: str, names: Mapping[str, str]) -> str:
    """A condition with its inputs replaced, and without the casts that KFP puts around them."""
    text = _INPUT.sub(lambda found: names.get(found[1], found[1]), condition)
    return " ".join(_CAST.sub(r"\1", text).split())


def _value(value: Any) -> str:
    if isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, str):
        text = f"'{value}'"
    else:
        text = json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
