"""Environment variables that are given to steps by their names."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kfnb.errors import UsageError


def values_of(names: Sequence[str]) -> dict[str, str]:
    """The environment variables with these names. Raises ``UsageError`` for one that is not set."""
    for name in names:
        if name not in os.environ:
            bare, given, _ = name.partition("=")
            if given:
                raise UsageError(
                    f"--env {name}: only give the name, --env {bare}: its value is taken from here"
                )
            raise UsageError(f"--env {name}: no environment variable {name} is set here")
    return {name: os.environ[name] for name in names}
