"""The notebook's classes and functions that a cell unpickles: its text need not name them.

``joblib.load("model.joblib")`` needs the class of the model, as ``__main__`` has it. Python raises an audit event for
each such name while the cell runs.
"""

from __future__ import annotations

import sys
from typing import Any


class PickleWatch:
    """Record which names of the notebook are unpickled until ``stop``. A process has one watch at a time."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        _collect(self._found)

    def stop(self) -> frozenset[str]:
        """Stop recording and return the names."""
        _collect(None)
        return frozenset(self._found)


_listening: list[set[str] | None] = []


def _collect(found: set[str] | None) -> None:
    """Collect names in ``found`` from now on. An audit hook cannot be removed, so one hook serves all watches."""
    if not _listening:
        _listening.append(None)
        sys.addaudithook(_hook)
    _listening[0] = found


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "pickle.find_class":
        return
    found, (module, name) = _listening[0], arguments
    if found is not None and module == "__main__" and isinstance(name, str):
        found.add(name.partition(".")[0])
