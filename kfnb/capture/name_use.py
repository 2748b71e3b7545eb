"""The use of a name by code that is traced, and the errors for a name that a step would not have."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kfnb.capture.cell import Cell
from kfnb.capture.component import Component
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


def check_kf(use: NameUse) -> None:
    """Check that a cell sets nothing of ``kf``, where that reports. Raises ``CaptureError``."""
    for node in ast.walk(use.cell.tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store | ast.Del)
            and isinstance(node.value, ast.Name)
            and node.value.id == "kf"
        ):
            place = str(use.cell.place(node.lineno))
            message = (
                f"{place}: kf.{node.attr} cannot be set: kf reports (kf.log_metrics) and tells of ranks:"
            )
            raise CaptureError(message, hint="use a name of your own", ref=place)


def stayed(name: str, use: NameUse, components: Iterable[Component]) -> CaptureError | None:
    """The error for a name that a component has written and could not give to the notebook; None for another."""
    for one in components:
        if name in one.refusals:
            return CaptureError(
                f"{use.place}: {name} stayed in the step of {one.name} ({one.refusals[name]}):",
                hint="assign what you need of it to another name in that cell",
                ref=str(use.place),
            )
    return None


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
