"""Names of monitors, which are those of services."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.services.names import is_service_name


def check_monitor_name(name: str) -> str:
    """The name of a monitor. Raises ``UsageError``."""
    if is_service_name(name):
        return name
    hint = "use up to 63 lower-case letters, digits and -, beginning with a letter"
    raise UsageError(f"{name!r} is not a valid name for a monitor:", code="invalid-name", hint=hint, ref=name)
