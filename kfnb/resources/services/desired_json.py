"""The desired state of a service as JSON, and back. Fields that a newer kfnb has written are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from kfnb.entities.log_policy import LogPolicy
from kfnb.resources.services.model import DesiredState, ServiceMove, Target

T = TypeVar("T")


def as_json(desired: DesiredState) -> dict[str, Any]:
    """The desired state as JSON."""
    return asdict(desired)


def desired_of(stored: Mapping[str, Any]) -> DesiredState:
    """The desired state from JSON. Raises ``TypeError``, ``KeyError``."""
    return known(
        DesiredState,
        {
            **stored,
            "targets": tuple(target_of(one) for one in stored["targets"]),
            "earlier": tuple(target_of(one) for one in stored["earlier"]),
            "move": known(ServiceMove, stored["move"]),
        },
    )


def target_of(stored: Mapping[str, Any]) -> Target:
    """A version that is served, from JSON. Raises ``TypeError``, ``KeyError``."""
    log = known(LogPolicy, stored.get("log", {}))
    return known(Target, {**stored, "trust": tuple(stored["trust"]), "log": log})


def known(cls: type[T], stored: Mapping[str, Any]) -> T:
    """A ``cls`` of those values that it has fields for. Raises ``TypeError`` if one is missing."""
    names = {one.name for one in fields(cls)}  # type: ignore[arg-type]
    return cls(**{name: value for name, value in stored.items() if name in names})
