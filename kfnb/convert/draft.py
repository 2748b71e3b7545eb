"""A notebook that is being made: its cells, and what its author has to know."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfnb.capture.component import check_name
from kfnb.errors import CaptureError, UsageError

Flags = tuple[tuple[str, str], ...]
"""Options of a cell's header, each with its value; an option without one has an empty value."""


@dataclass(frozen=True)
class DraftCell:
    """A cell: code, or Markdown."""

    text: str
    code: bool = True


@dataclass(frozen=True)
class NotebookDraft:
    """The cells of a notebook, and ``notes`` on what has no counterpart in kfnb."""

    cells: tuple[DraftCell, ...]
    notes: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write the notebook to a new file. Raises ``UsageError`` where that is not possible."""
        from nbformat import v4, writes

        made = [
            v4.new_code_cell(cell.text) if cell.code else v4.new_markdown_cell(cell.text)
            for cell in self.cells
        ]
        for number, cell in enumerate(made, start=1):
            cell["id"] = f"cell-{number}"
        spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
        text = writes(v4.new_notebook(cells=made, metadata={"kernelspec": spec}))
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text + "\n")
        except FileExistsError:
            raise UsageError(
                f"{path} already exists:", hint="name another file with -o", ref=str(path)
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}", ref=str(path)) from None


LOAD = DraftCell("%load_ext kfnb")
"""The first cell of each notebook."""


def headed(head: str, text: str) -> DraftCell:
    """A cell below a line of kfnb's."""
    return DraftCell(f"{head}\n{text}")


def header(magic: str, name: str, flags: Iterable[tuple[str, str]] = ()) -> str:
    """The first line of a component's or a pipeline's cell."""
    return " ".join(
        [magic, name, *(f"{flag} {shlex.quote(value)}" if value else flag for flag, value in flags)]
    )


def component_cell(name: str, flags: Flags, text: str, *, continues: bool = False) -> DraftCell:
    """A cell of a component: its first, with its options, or one that continues it."""
    return headed(header("%%kf_component", name, (("--continue", ""),) if continues else flags), text)


def pipeline_cell(name: str, steps: Sequence[str], after: Sequence[tuple[str, str]]) -> DraftCell:
    """The cell that defines a pipeline of steps in order; ``after`` has pairs of a step and one that it waits for.

    The line of steps where their data orders them, KFP's DSL where they wait for each other without it.
    """
    if not after:
        return DraftCell(" ".join(["%kf_pipeline", name, *steps]))
    named = {step for pair in after for step in pair}
    lines = []
    for step in steps:
        lines.append(f"{step}_task = {step}()" if step in named else f"{step}()")
        lines += [f"{step}_task.after({earlier}_task)" for later, earlier in after if later == step]
    return headed(f"%%kf_pipeline {name}", "\n".join(lines))


def identifier(text: str, what: str, taken: Collection[str] = ()) -> str:
    """A text as the name of a component or a pipeline (``what``), other than those that are ``taken``."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_")
    if not name[:1].isalpha() or keyword.iskeyword(name):
        name = f"{what}_{name}".rstrip("_")
    try:
        check_name(name, what)
    except CaptureError:
        name = f"{name}_{what}"
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
