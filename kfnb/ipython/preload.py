"""What the first run needs, got ready while its user still writes: KFP's compiler here, a process for a run here.

It begins when the first component is defined, and is done once. The setting ``warm = 0`` leaves it out.
"""

from __future__ import annotations

import asyncio
import importlib
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kfnb.errors import KfnbError
from kfnb.resources.runs import api
from kfnb.settings import settings

_IDLE = 0.5
"""Seconds that the kernel has nothing to do before it is used: under Run All, the next cell comes at once."""


class Ahead:
    """Gets ready once. ``busy`` says whether a cell runs."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._begun = False

    def begin(self, names: Mapping[str, Any]) -> None:
        """Get ready for runs of a notebook with these ``names``, unless that has been done."""
        if self._begun or not settings().warm:
            return
        self._begun = True
        with suppress(KfnbError):  # reported when a run is submitted
            api.stand_by(modules_of(names))
        with suppress(RuntimeError):  # a terminal: no loop runs there that would call
            asyncio.get_running_loop().call_later(_IDLE, self._import)

    def _import(self) -> None:
        if self._busy():
            asyncio.get_running_loop().call_later(_IDLE, self._import)
        else:
            importlib.import_module("kfp.compiler")


def modules_of(names: Mapping[str, Any]) -> list[str]:
    """The modules that a notebook's names are, or come from."""
    values = [value for name, value in names.items() if not name.startswith("_")]
    found = (
        value.__name__ if isinstance(value, types.ModuleType) else value.__module__
        for value in values
        if isinstance(value, types.ModuleType | type | types.FunctionType)
    )
    return sorted({module for module in found if isinstance(module, str) and module != "__main__"})
