"""The notebook's own classes and functions that a cell finds by unpickling: its text need not name them.

``joblib.load("model.joblib")`` needs the class of the model, as ``__main__`` has it. Python tells of each such name
while the cell runs.
"""

from __future__ import annotations

import sys
from typing import Any


class PickleWatch:
    """Hears which names of the notebook are unpickled from now on, until ``stop``. One at a time in a process."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        _hear(self._found)

    def stop(self) -> frozenset[str]:
        """Hear no more; the names so far."""
        _hear(None)
        return frozenset(self._found)


_listening: list[set[str] | None] = []


def _hear(found: set[str] | None) -> None:
    """Collect names in ``found`` from now on. A hook cannot be taken away again, so there is one for all."""
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
