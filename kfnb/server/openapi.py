"""The OpenAPI document of a served model: its paths, and its rows as the signature has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.server.cells import integers_of
from kfnb.server.columns import Family, InputColumn
from kfnb.server.inputs import ModelInputs
from kfnb.server.protocol_v2 import DATATYPES

_KINDS: Mapping[Family, dict[str, Any]] = {
    Family.FLOAT: {"type": "number"},
    Family.INTEGER: {"type": "integer"},
    Family.FLAG: {"type": "boolean"},
    Family.TEXT: {"type": "string"},
    Family.DATE: {"type": "string", "format": "date"},
    Family.SPAN: {"type": "number"},
}
_DAY = r"(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])"
_TIME = rf"^(1[89]|20|21)\d\d-({_DAY})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{{1,6}})?"
"""Times in ISO 8601, but for leap days: format date-time has an offset, which some columns have not."""
_OFFSET = r"(Z|[+-](0\d|1[0-2]):[0-5]\d)"
_ERROR = {
    "type": "object",
    "required": ["error", "code"],
    "properties": {"error": {"type": "string"}, "code": {"type": "string"}, "problems": {"type": "array"}},
}
_STATUSES = {
    "400": "The request cannot be read.",
    "404": "There is no such model.",
    "405": "The method is not one of this path.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "A value is not one that the model takes.",
    "500": "The model raised an error.",
    "503": "Too many requests are waiting.",
}


def openapi_of(name: str, inputs: ModelInputs, shape: Sequence[int]) -> dict[str, Any]:
    """The document for a model; ``shape`` is that of an array."""
    v1, v2 = f"/v1/models/{name}", f"/v2/models/{name}"
    instances = {
        "type": "object",
        "required": ["instances"],
        "properties": {"instances": _list(_row(inputs, shape))},
    }
    explained = {**instances, "properties": {"instances": {**_list(_row(inputs, shape)), "maxItems": 100}}}
    paths = {
        f"{v1}:predict": _post("Predict rows", "predict", instances, {"predictions": {"type": "array"}}),
        f"{v1}:explain": _post(
            "Explain predictions", "explain", explained, {"explanations": {"type": "array"}}
        ),
        f"{v2}/infer": _post("Predict tensors", "infer", _tensors(), {"outputs": {"type": "array"}}),
        v1: _get("Whether the model is ready", "ready_v1"),
        v2: _get("The tensors of the model", "metadata"),
        f"{v2}/ready": _get("Whether the model is ready", "ready_v2"),
        "/v1/models": _get("The models of this server", "models"),
        "/v2": _get("The server", "server"),
        "/v2/health/live": _get("Whether the server is alive", "live"),
        "/v2/health/ready": _get("Whether the server is ready", "ready"),
        "/kfnb/stats": _get("What the server has counted", "stats"),
    }
    metrics = {
        "200": {"description": "The counters.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    paths["/metrics"] = {
        "get": {"summary": "Counters for Prometheus", "operationId": "metrics", "responses": metrics}
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1", "description": "A model that kfnb serves."},
        "paths": paths,
    }


def _get(summary: str, operation: str) -> dict[str, Any]:
    return {
        "get": {"summary": summary, "operationId": operation, "responses": _responses({"type": "object"})}
    }


def _post(summary: str, operation: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(answer), "properties": answer}
    return {
        "post": {
            "summary": summary,
            "operationId": operation,
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": _responses(schema, *_STATUSES),
        }
    }


def _responses(schema: dict[str, Any], *statuses: str) -> dict[str, Any]:
    found = {"200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}}}
    for status in (*statuses, *(() if statuses else ("404", "405"))):
        found[status] = {
            "description": _STATUSES[status],
            "content": {"application/json": {"schema": _ERROR}},
        }
    return found


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _row(inputs: ModelInputs, shape: Sequence[int]) -> dict[str, Any]:
    """What a row is."""
    if inputs.named:
        names = list(inputs.names)
        properties = {column.name: _value(column) for column in inputs.columns}
        return {"type": "object", "required": names, "properties": properties, "additionalProperties": False}
    if inputs.columns and not shape[1:]:
        return _value(inputs.columns[0])
    row: dict[str, Any] = {"type": "number"}
    for size in reversed(shape[1:]):
        row = {**_list(row), **({"minItems": size, "maxItems": size} if size >= 0 else {})}
    return row


def _value(column: InputColumn) -> dict[str, Any]:
    """What a value of a column is."""
    found = dict(_KINDS.get(column.family, {}))
    if column.family is Family.TIME:
        found = {"type": "string", "pattern": f"{_TIME}{_OFFSET if column.zoned else ''}$"}
    elif column.known:
        found = {"enum": list(column.categories) + ([None] if column.nullable else [])}
    elif column.family is Family.INTEGER:
        least, most = integers_of(column)
        low, high = column.low, column.high
        found |= {"minimum": least if low is None else low, "maximum": most if high is None else high}
    elif column.low is not None:
        found |= {"minimum": column.low, "maximum": column.high}
    if column.nullable and "type" in found:
        found["type"] = [found["type"], "null"]
    return found


def _tensors() -> dict[str, Any]:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"enum": list(DATATYPES)},
            "data": {"type": "array"},
        },
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {"inputs": _list(tensor), "id": {"type": "string"}},
    }
