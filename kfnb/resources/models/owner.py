"""Who registers models: the setting ``owner``, else the user of this machine."""

from __future__ import annotations

import getpass
import os

from kfnb.settings import settings


def owner() -> str:
    """The user's name."""
    try:
        return settings().owner or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())
