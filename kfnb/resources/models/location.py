"""Where models are registered."""

from __future__ import annotations

from pathlib import Path

from kfnb.settings import settings


def registry_folder() -> Path:
    """The folder of the local registry: that of the setting ``registry``, else the one in the home."""
    chosen = settings()
    return Path(chosen.registry or Path(chosen.home, "registry")).expanduser().absolute()
