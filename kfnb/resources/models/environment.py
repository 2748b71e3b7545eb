"""How the environment differs from the one that a model was saved in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from kfnb.resources.models.model import VersionSnapshot


def differences(saved: VersionSnapshot) -> list[str]:
    """Packages and Python that are not as they were: ``scikit-learn 1.5.0 (here 1.9.1)``."""
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = [f"Python {saved.python} (here {here})"] if saved.python and saved.python != here else []
    return [*_packages(saved.packages), *found]


def _packages(saved: Mapping[str, str]) -> list[str]:
    return [
        f"{package} {was} ({f'here {now}' if now else 'not installed here'})"
        for package, was in sorted(saved.items())
        if (now := _installed(package)) != was
    ]


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
