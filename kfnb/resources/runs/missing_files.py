"""Advice for steps that do not find a file: a step has the files that its cell used in the notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.entities import TaskError

_PATH = re.compile(r"'(?P<quoted>[^']+)'|\(os error 2\): (?P<last>.+)")


def with_advice(
    error: TaskError, exception: Mapping[str, Any], notebook: Path | None = None, own: Path | None = None
) -> TaskError:
    """The ``error`` of a step, from its exception ``exception``, with advice if a file is missing.

    ``notebook`` is the notebook's folder, and ``own`` the step's, if they are accessible.
    """
    found = _PATH.search(exception["message"])
    if exception["type"] != "FileNotFoundError" or found is None or not error.place:
        return error
    path = _relative(found["quoted"] or found["last"], own)
    if path is None or (notebook is not None and not (notebook / path).exists()):
        return error
    return replace(error, message=f"{error.message}. {_advice(path, here=notebook is not None)}")


def _advice(path: str, *, here: bool) -> str:
    if not here and any(part.startswith(".") for part in path.split("/") if part != ".."):
        return f"{path} is hidden and may contain secrets, so it is not copied to a cluster: rename it"
    place = f"{path} is in the notebook's folder, but" if here else f"If {path} is in the notebook's folder,"
    return (
        f"{place} the cell did not use it in the notebook, and a step only has files that its cell used: run the cell"
        f" so that it reads {path}, or add os.path.exists({path!r}) to it"
    )


def _relative(path: str, own: Path | None) -> str | None:
    """A path relative to the notebook's folder; None for a path outside of it."""
    if not path.startswith("/"):
        return os.path.normpath(path)
    if own is not None and Path(path).is_relative_to(own):
        return Path(path).relative_to(own).as_posix()
    return None
