"""What to say where a step does not find a file: it has those that its cell was seen to use in the notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.model import TaskError

_PATH = re.compile(r"'(?P<quoted>[^']+)'|\(os error 2\): (?P<last>.+)")


def with_advice(
    error: TaskError, told: Mapping[str, Any], notebook: Path | None = None, own: Path | None = None
) -> TaskError:
    """The ``error`` of a step, which its exception ``told``, with what to do, where that is that a file is absent.

    ``notebook`` is the notebook's folder, and ``own`` the step's, where they can be looked at.
    """
    found = _PATH.search(told["message"])
    if told["type"] != "FileNotFoundError" or found is None or not error.place:
        return error
    path = _relative(found["quoted"] or found["last"], own)
    if path is None or (notebook is not None and not (notebook / path).exists()):
        return error
    return replace(error, message=f"{error.message}. {_advice(path, here=notebook is not None)}")


def _advice(path: str, *, here: bool) -> str:
    if not here and any(part.startswith(".") for part in path.split("/") if part != ".."):
        return f"{path} is hidden and may hold secrets: it does not travel to a cluster. Give it another name"
    lies = f"{path} lies beside the notebook, but" if here else f"If {path} lies beside the notebook,"
    return (
        f"{lies} the cell did not use it when it ran there, and a step has what its cell used: run the cell so that it"
        f" reads {path}, or add os.path.exists({path!r}) to the cell"
    )


def _relative(path: str, own: Path | None) -> str | None:
    """A path from the notebook's folder; None for one that is elsewhere."""
    if not path.startswith("/"):
        return os.path.normpath(path)
    if own is not None and Path(path).is_relative_to(own):
        return Path(path).relative_to(own).as_posix()
    return None
