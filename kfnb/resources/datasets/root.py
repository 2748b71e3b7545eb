"""Where the data store of the settings is; without what opens it."""

from __future__ import annotations

from pathlib import Path

from kfnb.settings import settings


def store_root() -> str:
    """The folder, absolute, or the address of the data store."""
    chosen = settings().data_store
    if "://" in chosen:
        return str(chosen)
    return str(Path(chosen or Path(settings().home, "data")).expanduser().absolute())
