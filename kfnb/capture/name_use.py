"""The use of a name by code that is traced, and the errors for a name that a step would not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kfnb.capture.cell import Cell
from kfnb.capture.content import examine
from kfnb.capture.values import kind_of
from kfnb.errors import CaptureError


@dataclass(frozen=True)
class NameUse:
    """The use of a name by a line of a cell.

    ``optional``: the code may run without the name, so an undefined name is not an error. ``own``: the code probably
    defines the name itself, so a name that only the kernel has is not an error either.
    """

    line: int
    cell: Cell
    reason: str
    optional: bool = False
    own: bool = False

    @property
    def place(self) -> str:
        """The place of the line, for messages."""
        return str(self.cell.place(self.line))


def unknown_name(name: str, use: NameUse, known: Sequence[str], *, transform: bool = False) -> CaptureError:
    """The error for a name that no cell defines; ``transform`` where it is a transform that uses it."""
    close = get_close_matches(name, known, 1)
    elsewhere = f"assign it in an earlier component, or declare it with --param {name}"
    hint = f"did you mean {close[0]}?" if close else "define it in this cell" if transform else elsewhere
    return CaptureError(f"{use.place}: {name} is not defined by any cell; {hint}")


def live_object(name: str, use: NameUse, maker: str, value: Any, *, transform: bool = False) -> CaptureError:
    """The error for a name whose object only this kernel has, with what to do instead."""
    kind = type(value).__name__
    if transform:
        advice = "Return it from fit(df), as part of the state, or define it in this cell"
    elif kind_of(value).parameter:
        advice = f"Make that cell a component (%%kf_component), or declare a parameter, --param {name}"
    elif examine(value).digest is not None:
        advice = "Make that cell a component (%%kf_component), or begin it with %%kf_setup, so that every step runs it"
    else:
        advice = "Create it in the component, or in a cell that begins with %%kf_setup, which every step runs"
    who = "a transform" if transform else "a step"
    return CaptureError(
        f"{use.place}: {name} ({kind}) was created {maker}, so {who} does not have it. {advice}"
    )
