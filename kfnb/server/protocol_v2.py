"""The Open Inference Protocol (V2): a tensor for each column, as JSON or as bytes behind the JSON."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.server.bodies import json_bytes
from kfnb.server.column_reader import InputRows
from kfnb.server.columns import Family, InputColumn, family_of
from kfnb.server.inputs import ModelInputs
from kfnb.server.tables import BadRequest

HEADER_LENGTH = "inference-header-content-length"
"""The header that says how much of a body is JSON, where bytes of tensors follow."""

_NUMPY = {
    "BOOL": "?", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
DATATYPES = (*_NUMPY, "BYTES")
_TYPES = {Family.FLOAT: "FP64", Family.INTEGER: "INT64", Family.FLAG: "BOOL"}
"""The type of a column's tensor; texts, times and what else are BYTES."""
_OF_ARRAY = {"b": "BOOL", "i": "INT64", "u": "UINT64", "f": "FP64"}


def tensors_of(inputs: ModelInputs, shape: Sequence[int]) -> list[dict[str, Any]]:
    """The tensors that a model takes, for its metadata; ``shape`` is that of an array."""
    if not inputs.named:
        column = inputs.columns[0] if inputs.columns else InputColumn("")
        kind = _OF_ARRAY.get(getattr(column.dtype, "kind", "f"), "BYTES")
        return [{"name": column.name or "input-0", "datatype": kind, "shape": list(shape) or [-1, -1]}]
    return [
        {"name": column.name, "datatype": _TYPES.get(column.family, "BYTES"), "shape": [-1]}
        for column in inputs.columns
    ]


def output_tensors_of(outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tensors that a model answers, for its metadata; ``outputs`` are columns of ``kfnb_model.json``.

    Of a model that was saved without an example nothing is known: its predictions are given as numbers.
    """
    several = len(outputs) > 1
    return [
        {
            "name": str(one.get("name")) if several else "predict",
            "datatype": _TYPES.get(family_of(str(one["type"])), "BYTES") if one.get("type") else "FP64",
            "shape": [int(size) for size in one.get("shape", ())] or [-1],
        }
        for one in outputs or ({},)
    ]


def split_body(body: bytes, length: str | None) -> tuple[bytes, memoryview]:
    """The JSON of a body, and the bytes behind it. Raises ``BadRequest``."""
    if length is None:
        return body, memoryview(b"")
    if not length.isdecimal() or int(length) > len(body):
        raise BadRequest(f"the header {HEADER_LENGTH} is not the length of the JSON in the body")
    return body[: int(length)], memoryview(body)[int(length) :]


def read_v2(body: Mapping[str, Any], rest: memoryview, inputs: ModelInputs) -> InputRows:
    """The rows of a request. Raises ``BadRequest``, ``BadInput``."""
    tensors = body.get("inputs")
    if not isinstance(tensors, list) or not tensors or not all(isinstance(one, dict) for one in tensors):
        raise BadRequest('the body has to have "inputs": a list with a tensor for each column')
    found: dict[str, list[Any]] = {}
    for tensor in tensors:
        name, values, rest = _read_tensor(tensor, rest, flat=inputs.named)
        if name in found:
            raise BadRequest(f"the tensor {name} is given twice")
        found[name] = values
    if len(rest):
        raise BadRequest("the body has more bytes than its tensors")
    if len({len(values) for values in found.values()}) > 1:
        raise BadRequest("the tensors have different numbers of rows")
    return inputs.by_column(found)


def _read_tensor(
    tensor: Mapping[str, Any], rest: memoryview, *, flat: bool
) -> tuple[str, list[Any], memoryview]:
    """The name of a tensor, its values by row, and the bytes that follow it."""
    name, shape, kind = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    if not (isinstance(name, str) and isinstance(kind, str) and kind in DATATYPES):
        known = ", ".join(DATATYPES)
        raise BadRequest(f"a tensor has to have a name, and as datatype one of {known}")
    if (
        not isinstance(shape, list)
        or not shape
        or not all(type(one) is int and 0 <= one < 2**31 for one in shape)
    ):
        raise BadRequest(f"the shape of the tensor {name} is not a list of numbers")
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        values = _flattened(tensor.get("data"), name)
    elif type(size) is int and 0 <= size <= len(rest):
        values, rest = _unpacked(rest[:size], kind, name), rest[size:]
    else:
        raise BadRequest(f"binary_data_size of the tensor {name} is not that of the bytes behind the JSON")
    count = 1
    for one in shape:
        count *= one
    if count != len(values):
        raise BadRequest(f"the tensor {name} has {len(values)} values, and its shape {shape} has {count}")
    if flat and count != shape[0]:
        raise BadRequest(
            f"the tensor {name} has the shape {shape}; give a tensor for each column, by its name"
        )
    return name, values if flat else _shaped(values, shape), rest


def _flattened(data: Any, name: str) -> list[Any]:
    """The values of nested lists, row by row."""
    if not isinstance(data, list):
        raise BadRequest(f'the tensor {name} has no "data", which is a list')
    while data and all(isinstance(one, list) for one in data):
        data = [value for one in data for value in one]
    if any(isinstance(one, (list, dict)) for one in data):
        raise BadRequest(f"the data of the tensor {name} are of different shapes")
    return list(data)


def _unpacked(data: memoryview, kind: str, name: str) -> list[Any]:
    """The values in the bytes of a tensor."""
    import numpy as np

    if kind != "BYTES":
        if len(data) % np.dtype(_NUMPY[kind]).itemsize:
            raise BadRequest(f"the bytes of the tensor {name} are not of the datatype {kind}")
        return list(np.frombuffer(data, _NUMPY[kind]).tolist())
    values, place = [], 0
    while place < len(data):
        length = struct.unpack_from("<I", data, place)[0] if place + 4 <= len(data) else len(data)
        if place + 4 + length > len(data):
            raise BadRequest(f"the bytes of the tensor {name} end within a value")
        try:
            values.append(bytes(data[place + 4 : place + 4 + length]).decode())
        except UnicodeDecodeError:
            raise BadRequest(f"the bytes of the tensor {name} are not texts in UTF-8") from None
        place += 4 + length
    return values


def _shaped(values: list[Any], shape: Sequence[int]) -> list[Any]:
    """Values in nested lists of a shape."""
    for size in reversed(shape[1:]):
        values = [values[at : at + size] for at in range(0, len(values), size)] if size else []
    return values


def write_v2(
    name: str, version: str, request: Mapping[str, Any], predictions: Sequence[Any]
) -> tuple[bytes, str]:
    """The body of a response, and the length of its JSON where bytes follow, else empty."""
    tensors = _outputs(predictions)
    found: dict[str, Any] = {"model_name": name, "model_version": version, "outputs": tensors}
    if isinstance(request.get("id"), str):
        found["id"] = request["id"]
    if not _wants_bytes(request):
        return json_bytes(found), ""
    packed = []
    for tensor in tensors:
        packed.append(_packed(tensor.pop("data"), tensor["datatype"]))
        tensor["parameters"] = {"binary_data_size": len(packed[-1])}
    head = json_bytes(found)
    return b"".join([head, *packed]), str(len(head))


def _wants_bytes(request: Mapping[str, Any]) -> bool:
    outputs = request.get("outputs")
    described = [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []
    parameters = [one.get("parameters") for one in (request, *described)]
    return any(
        isinstance(one, dict) and (one.get("binary_data_output") is True or one.get("binary_data") is True)
        for one in parameters
    )


def _outputs(predictions: Sequence[Any]) -> list[dict[str, Any]]:
    """The tensors of predictions: one, or one for each column of those that are objects."""
    if predictions and all(isinstance(one, dict) for one in predictions):
        return [_tensor(key, [one[key] for one in predictions]) for key in predictions[0]]
    return [_tensor("predict", list(predictions))]


def _tensor(name: str, values: list[Any]) -> dict[str, Any]:
    shape, flat = [len(values)], values
    while flat and all(isinstance(one, list) for one in flat) and len({len(one) for one in flat}) == 1:
        shape.append(len(flat[0]))
        flat = [value for one in flat for value in one]
    kinds = {type(one) for one in flat}
    if kinds <= {bool} and kinds:
        kind = "BOOL"
    elif kinds <= {int} and all(abs(one) < 2**63 for one in flat):
        kind = "INT64"
    elif kinds <= {int, float, type(None)}:
        kind = "FP64"
    else:
        kind, flat = (
            "BYTES",
            [
                one if isinstance(one, str) else "" if one is None else json_bytes(one).decode()
                for one in flat
            ],
        )
    return {"name": name, "shape": shape, "datatype": kind, "data": flat}


def _packed(values: Sequence[Any], kind: str) -> bytes:
    import numpy as np

    if kind != "BYTES":
        return bytes(np.array(values, _NUMPY[kind]).tobytes())
    return b"".join(struct.pack("<I", len(one.encode())) + one.encode() for one in values)
