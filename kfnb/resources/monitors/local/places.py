"""Where a check finds services, data and models: settings of the notebook, which a scheduler's process has not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kfnb.settings import owner, settings

_FOLDERS = ("data_store", "registry", "secrets")


def kept() -> dict[str, str]:
    """The settings that a check needs, as they are now; folders from the root of the file system."""
    chosen = {name: str(getattr(settings(), name)) for name in _FOLDERS}
    places = {name: _absolute(value) for name, value in chosen.items() if value}
    return {**places, "owner": owner(), "experiment": settings().experiment}


def use(home: Path, stored: Mapping[str, str]) -> None:
    """Use a home and what was kept, in a process of a schedule."""
    for name, value in {**stored, "home": str(home)}.items():
        settings().set(name, value)


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).expanduser().absolute())
