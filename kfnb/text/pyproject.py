"""The settings of a project: the table ``[tool.kfnb]`` of its pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def pyproject_table(start: Path) -> tuple[dict[str, Any], Path]:
    """What the nearest pyproject.toml at or above ``start`` has under [tool.kfnb], and the file."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _read_table(file), file
    return {}, start / "pyproject.toml"


def _read_table(file: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # another tool's file; that tool reports the error
    table: dict[str, Any] = data.get("tool", {}).get("kfnb", {})
    return table
