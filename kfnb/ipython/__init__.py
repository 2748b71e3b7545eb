"""The notebook's side of kfnb: magics, their completion, and the displays. They parse, call and display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kfnb.ipython.extension import Extension

_extensions: dict[int, Extension] = {}


def load(shell: InteractiveShell) -> None:
    """Connect kfnb with a shell: its magics, its settings, its ``kf``, its eye on the cells."""
    if id(shell) in _extensions:
        return
    from kfnb import settings as config
    from kfnb.ipython.extension import Extension

    settings: Any = config.reset(start=Path.cwd(), config=shell.config)
    shell.configurables.append(settings)  # so that %config Kfnb works
    extension = Extension(shell)
    shell.user_ns.setdefault("kf", extension.kf)
    extension.connect()
    _extensions[id(shell)] = extension


def extension_of(shell: InteractiveShell) -> Extension:
    """What kfnb knows of a shell that it is loaded into."""
    return _extensions[id(shell)]


def unload(shell: InteractiveShell) -> None:
    """Undo ``load``; what the notebook defined is forgotten."""
    extension = _extensions.pop(id(shell), None)
    if extension is None:
        return
    extension.disconnect()
    shell.configurables[:] = [one for one in shell.configurables if type(one).__name__ != "Kfnb"]
