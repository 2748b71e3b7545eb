"""How many connections a process may have open."""

from __future__ import annotations

import resource
from contextlib import suppress


def allow_connections() -> None:
    """Allow as many open connections as the system allows this process."""
    with suppress(ValueError, OSError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
