"""The commands that make a notebook of what another tool wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.commands.command import Command, option, word
from kfnb.commands.session import Session
from kfnb.convert.decompile import decompile
from kfnb.convert.draft import NotebookDraft
from kfnb.convert.elyra import convert_elyra
from kfnb.convert.kale import convert_kale
from kfnb.errors import UsageError


def _output() -> Any:
    return option(
        "-o",
        "--output",
        metavar="NOTEBOOK",
        type=Path,
        help="the notebook to write (default: FILE_kfnb.ipynb beside it)",
    )


def _write(
    session: Session, source: Path, output: Path | None, convert: Callable[[Path], NotebookDraft]
) -> None:
    """Convert ``source``, write the notebook, and print what has no counterpart."""
    target = output or source.with_name(f"{source.stem}_kfnb.ipynb")
    draft = convert(source)
    draft.write(target)
    for note in draft.notes:
        session.notify(f"note: {note}")
    session.out(str(target))


@dataclass(frozen=True, kw_only=True)
class ConvertFile(Command):
    """Convert a notebook of Kale's or a pipeline of Elyra's into a notebook of kfnb's."""

    def run(self, session: Session) -> None:
        """A verb is required."""
        raise UsageError(f"{session.prog}: a verb is required", hint="the verbs are kale and elyra")


@dataclass(frozen=True, kw_only=True)
class ConvertKale(Command):
    """Convert a notebook that is annotated for Kale: tags become headers of cells."""

    notebook: Path = word("a notebook (.ipynb) with Kale's tags", metavar="NOTEBOOK", type=Path)
    output: Path | None = _output()

    def run(self, session: Session) -> None:
        """Convert it."""
        _write(session, self.notebook, self.output, convert_kale)


@dataclass(frozen=True, kw_only=True)
class ConvertElyra(Command):
    """Convert a pipeline of Elyra's, with its notebooks and scripts: each node becomes a component."""

    file: Path = word("Elyra's file (.pipeline)", metavar="FILE", type=Path)
    output: Path | None = _output()

    def run(self, session: Session) -> None:
        """Convert it."""
        _write(session, self.file, self.output, convert_elyra)


@dataclass(frozen=True, kw_only=True)
class DecompilePipeline(Command):
    """Write a notebook whose cells compile to an equal pipeline, from the Python source in a compiled one."""

    file: Path = word("a compiled pipeline (.yaml)", metavar="FILE", type=Path)
    output: Path | None = _output()

    def run(self, session: Session) -> None:
        """Decompile it."""
        _write(session, self.file, self.output, decompile)
