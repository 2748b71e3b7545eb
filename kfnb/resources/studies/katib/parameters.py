"""A search space as Katib writes it: parameters with a feasible space, in which all values are texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kfnb.resources.studies.model import Dimension, Value

_LOGARITHMIC = ("logUniform", "logNormal")
_TRUTH = {"true": True, "false": False}


def written(dimension: Dimension) -> dict[str, Any]:
    """A dimension as one of an Experiment's ``parameters``."""
    if dimension.kind == "choice":
        numbers = all(type(value) in (int, float) for value in dimension.choices)
        return {
            "name": dimension.name,
            "parameterType": "discrete" if numbers else "categorical",
            "feasibleSpace": {"list": [text(value) for value in dimension.choices]},
        }
    whole = dimension.kind == "int"
    space = {"min": _bound(dimension.low, whole), "max": _bound(dimension.high, whole)}
    if dimension.step > (1 if whole else 0):
        space["step"] = _bound(dimension.step, whole)
    space["distribution"] = "logUniform" if dimension.log else "uniform"
    return {
        "name": dimension.name,
        "parameterType": "int" if whole else "double",
        "feasibleSpace": space,
    }


def text(value: Value) -> str:
    """A value as Katib keeps it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def read(parameter: Mapping[str, Any]) -> Dimension:
    """A dimension from one of an Experiment's ``parameters``, also from one that kfnb would not have written."""
    name, space = str(parameter.get("name", "")), parameter.get("feasibleSpace") or {}
    listed = space.get("list")
    if listed is not None:
        return Dimension(
            name, "choice", choices=_choices(listed, parameter.get("parameterType") == "discrete")
        )
    whole = parameter.get("parameterType") == "int"
    return Dimension(
        name,
        "int" if whole else "float",
        low=_number(space.get("min")),
        high=_number(space.get("max")),
        step=_number(space.get("step")) or (1.0 if whole else 0.0),
        log=space.get("distribution") in _LOGARITHMIC,
    )


def typed(assigned: str, dimension: Dimension | None) -> Value:
    """A value of a trial, as its dimension has it; as a text where there is none, or where it does not fit."""
    try:
        if dimension is None:
            return assigned
        if dimension.kind == "choice":
            return next((value for value in dimension.choices if text(value) == assigned), assigned)
        number = float(assigned)
    except ValueError:
        return assigned
    return int(number) if dimension.kind == "int" and number.is_integer() else number


def _bound(value: float, whole: bool) -> str:
    return str(int(value)) if whole else repr(float(value))


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0


def _choices(listed: Iterable[Any], numbers: bool) -> tuple[Value, ...]:
    texts = [str(one) for one in listed]
    if set(texts) <= _TRUTH.keys():
        return tuple(_TRUTH[one] for one in texts)
    return tuple(_parsed(one) if numbers else one for one in texts)


def _parsed(number: str) -> Value:
    for kind in (int, float):
        try:
            return kind(number)
        except ValueError:
            continue
    return number
