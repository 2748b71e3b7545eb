"""This machine, as all steps of a run have it."""

from __future__ import annotations

import os
import platform
from importlib import metadata


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def here() -> dict[str, str]:
    """The environment that all local steps share."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "kfp": metadata.version("kfp"),
    }
