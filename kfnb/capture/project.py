"""The folders above the notebook's whose files count as the notebook's data: ``../data/train.csv``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_MARKS = (".git", "pyproject.toml")
_LEVELS = 2


def top_of(folder: Path) -> Path:
    """The highest folder whose files count: the project's root above the notebook's folder, else two levels up.

    Never a shared folder: the home, a folder for temporary files, ``/``; and ``/data`` only as a project.
    """
    above = [one for one in folder.parents if not _is_shared(one)]
    projects = [one for one in above if any((one / mark).exists() for mark in _MARKS)]
    near = [one for one in above[:_LEVELS] if one.parent.name]
    return next(iter([*projects, *reversed(near)]), folder)


def levels(name: str) -> int:
    """The number of levels above the notebook's folder at which a path begins: 1 for ``../data``."""
    parts = name.split("/")
    return next((index for index, part in enumerate(parts) if part != ".."), len(parts))


def _is_shared(folder: Path) -> bool:
    shared = (Path.home(), Path(tempfile.gettempdir()))
    return any(Path(os.path.realpath(one)).is_relative_to(os.path.realpath(folder)) for one in shared)
