"""Fields of objects that may hold anything anywhere: CRDs, and Katib's above all, validate little or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Any]


def at(item: Any, *names: str) -> Any:
    """The value at a path within an object; None if there is none."""
    for name in names:
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def word(item: Any, *names: str) -> str:
    """The text at a path within an object; empty if there is none."""
    found = at(item, *names)
    return found if isinstance(found, str) else ""


def rows(item: Any, *names: str) -> list[Item]:
    """The objects in a list at a path within an object."""
    found = at(item, *names)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def condition(item: Item, kind: str) -> Item:
    """A condition of an object's status; empty if it does not have that condition."""
    return next((one for one in rows(item, "status", "conditions") if one.get("type") == kind), {})


def mapping(item: Any, *names: str) -> Item:
    """The object at a path within an object; empty if there is none."""
    found = at(item, *names)
    return found if isinstance(found, Mapping) else {}
