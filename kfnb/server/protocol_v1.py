"""KServe's V1 protocol: ``{"instances": [...]}`` or ``{"inputs": ...}`` and ``{"predictions": [...]}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.server.column_reader import InputRows
from kfnb.server.inputs import ModelInputs
from kfnb.server.tables import BadRequest


def read_v1(body: Mapping[str, Any], inputs: ModelInputs) -> InputRows:
    """The rows of a request. Raises ``BadRequest``, ``BadInput``."""
    given = [key for key in ("instances", "inputs") if key in body]
    if len(given) != 1:
        raise BadRequest('the body has to have "instances": a list with an object for each row')
    rows = body[given[0]]
    if given == ["inputs"] and isinstance(rows, dict):
        return inputs.by_column(rows)
    if not isinstance(rows, list):
        raise BadRequest(f'"{given[0]}" is not a list')
    return inputs.rows(rows)
