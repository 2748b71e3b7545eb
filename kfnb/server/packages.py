"""The packages that a model needs, in the versions that it is served with."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def installed_packages(folder: Path) -> dict[str, str]:
    """By name, the versions in this environment of what the folder's ``requirements.txt`` names; without others."""
    file = folder / "requirements.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0] for line in lines]
    return {name: found for name in names if name and name[0] != "-" and (found := _version(name))}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
