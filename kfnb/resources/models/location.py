"""Where models are registered, and by whom."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from kfnb.settings import settings


def owner() -> str:
    """Who registers models: the setting ``owner``, else the user of this machine."""
    try:
        return settings().owner or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())


def registry_folder() -> Path:
    """The folder of the local registry: that of the setting ``registry``, else the one in the home."""
    chosen = settings()
    return Path(chosen.registry or Path(chosen.home, "registry")).expanduser().absolute()
