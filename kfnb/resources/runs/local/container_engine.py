"""Which program runs containers on this machine, if any."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress

_ENGINES = ("docker", "podman")
_TIMEOUT = 10.0
"""Seconds that an engine may take to answer."""


def engine() -> str:
    """The path of the first container engine that answers; empty if none does."""
    for name in _ENGINES:
        found = shutil.which(name)
        if found:
            with suppress(OSError, subprocess.TimeoutExpired):
                done = subprocess.run([found, "info"], capture_output=True, check=False, timeout=_TIMEOUT)
                if done.returncode == 0:
                    return found
    return ""
