"""Signatures of models as JSON: in a model folder, in the local registry and in the properties of a cluster's."""

from __future__ import annotations

from typing import Any

from kfnb.resources.models.model import ColumnType, Signature


def signature_of(stored: Any) -> Signature:
    """The signature in a JSON object; fields that are unknown, missing or of another kind are left out."""
    stored = stored if isinstance(stored, dict) else {}
    return Signature(_columns(stored.get("inputs")), _columns(stored.get("outputs")))


def _columns(stored: Any) -> tuple[ColumnType, ...]:
    listed = stored if isinstance(stored, list) else []
    return tuple(_column(one) for one in listed if isinstance(one, dict))


def _column(stored: dict[str, Any]) -> ColumnType:
    shape = stored.get("shape")
    sizes = tuple(size for size in shape if isinstance(size, int)) if isinstance(shape, list) else ()
    return ColumnType(
        str(stored.get("name", "")), str(stored.get("type", "")), sizes, bool(stored.get("nullable"))
    )
