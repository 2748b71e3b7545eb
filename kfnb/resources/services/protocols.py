"""The protocols by which services are asked: KServe's V1, and V2, the Open Inference Protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kfnb.errors import UsageError

_OF_V1 = {"predict": "predictions", "explain": "explanations"}
_WITHOUT_NAMES = "input-0"
"""The tensor of rows without names."""


class InferenceProtocol(Protocol):
    """How rows are sent to a service, and its answers are read."""

    def path(self, name: str, verb: str) -> str:
        """The path of a model's verb. Raises ``UsageError`` for one that the protocol does not have."""
        ...

    def request(self, instances: Sequence[Any]) -> dict[str, Any]:
        """The body for some rows."""
        ...

    def content(self, answered: Mapping[str, Any], verb: str) -> Sequence[Any]:
        """What was answered, a row each. Raises ``KeyError``, ``TypeError`` and ``ValueError``."""
        ...


@dataclass(frozen=True)
class V1:
    """KServe's V1: rows as JSON values."""

    def path(self, name: str, verb: str) -> str:
        """``/v1/models/churn:predict``."""
        return f"/v1/models/{name}:{verb}"

    def request(self, instances: Sequence[Any]) -> dict[str, Any]:
        """The rows as they are."""
        return {"instances": list(instances)}

    def content(self, answered: Mapping[str, Any], verb: str) -> Sequence[Any]:
        """The predictions, or the explanations."""
        found: Sequence[Any] = answered[_OF_V1[verb]]
        return found


@dataclass(frozen=True)
class V2:
    """V2: a tensor a column, in the order of ``columns``, or one matrix for rows without names."""

    columns: tuple[str, ...] = ()

    def path(self, name: str, verb: str) -> str:
        """``/v2/models/churn/infer``."""
        if verb != "predict":
            message = f"service {name} answers protocol V2 alone, which has no {verb}:"
            raise UsageError(message, hint="serve the model without --runtime", ref=name)
        return f"/v2/models/{name}/infer"

    def request(self, instances: Sequence[Any]) -> dict[str, Any]:
        """The rows as tensors. Raises ``UsageError`` where they have no common shape."""
        if instances and all(isinstance(one, Mapping) for one in instances):
            names = self._names(instances)
            tensors = [
                _tensor(name, [len(instances)], [row.get(name) for row in instances]) for name in names
            ]
            return {"parameters": {"content_type": "pd"}, "inputs": tensors}
        rows = [one if isinstance(one, list) else [one] for one in instances]
        widths = {len(row) for row in rows}
        if len(widths) > 1 or any(isinstance(value, list | Mapping) for row in rows for value in row):
            raise UsageError(
                "the rows do not have the same columns, and protocol V2 sends a table",
                code="invalid-argument",
            )
        shape = [len(rows), *widths]
        return {"inputs": [_tensor(_WITHOUT_NAMES, shape, [value for row in rows for value in row])]}

    def _names(self, instances: Sequence[Mapping[str, Any]]) -> list[str]:
        """The columns of the rows: those of the model first, since some servers go by their order."""
        given = list(dict.fromkeys(name for row in instances for name in row))
        return [
            *(one for one in self.columns if one in given),
            *(one for one in given if one not in self.columns),
        ]

    def content(self, answered: Mapping[str, Any], verb: str) -> Sequence[Any]:
        """The rows of the only output, or of all of them by name."""
        del verb
        outputs = {str(one["name"]): _rows(one["shape"], one["data"]) for one in answered["outputs"]}
        if len(outputs) == 1:
            return next(iter(outputs.values()))
        return [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]


def _tensor(name: str, shape: Sequence[int], values: Sequence[Any]) -> dict[str, Any]:
    kinds = {type(value) for value in values if value is not None}
    has_gaps = None in values
    if kinds == {bool} and not has_gaps:
        return {"name": name, "shape": list(shape), "datatype": "BOOL", "data": list(values)}
    if kinds == {int} and not has_gaps:
        return {"name": name, "shape": list(shape), "datatype": "INT64", "data": list(values)}
    if kinds <= {int, float, bool}:
        return {
            "name": name,
            "shape": list(shape),
            "datatype": "FP64",
            "data": [_number(one) for one in values],
        }
    texts = [None if one is None else str(one) for one in values]
    return {
        "name": name,
        "shape": list(shape),
        "datatype": "BYTES",
        "parameters": {"content_type": "str"},
        "data": texts,
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _rows(shape: Sequence[int], data: Sequence[Any]) -> list[Any]:
    """The rows of a tensor, whose data is flat or nested."""
    flat = _flat(data)
    if len(flat) != math.prod(shape):
        raise ValueError(f"{len(flat)} values for the shape {list(shape)}")
    width = len(flat) // shape[0] if shape and shape[0] else 1
    if width == 1:
        return flat
    return [flat[at : at + width] for at in range(0, len(flat), width)]


def _flat(data: Sequence[Any]) -> list[Any]:
    return [value for one in data for value in (_flat(one) if isinstance(one, list) else [one])]
