"""Names of services, which are those of Kubernetes' objects."""

from __future__ import annotations

import re

from kfnb.errors import UsageError

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_OTHER = re.compile(r"[^a-z0-9]+")


def is_service_name(name: str) -> bool:
    """Whether a service may have that name."""
    return _NAME.fullmatch(name) is not None


def check_service_name(name: str) -> str:
    """The name of a service. Raises ``UsageError``."""
    if not is_service_name(name):
        hint = "use up to 63 lower-case letters, digits and -, beginning with a letter"
        raise UsageError(
            f"{name!r} is not a valid name for a service:", code="invalid-name", hint=hint, ref=name
        )
    return name


def service_name_of(model: str) -> str:
    """The name that a service of a model has by default. Raises ``UsageError``."""
    return check_service_name(_OTHER.sub("-", model.lower()).strip("-")[:63])
