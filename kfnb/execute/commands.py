"""The command that executes notebooks."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.commands.command import Command, arguments, flag, option, repeated, word
from kfnb.commands.session import Session
from kfnb.errors import NotebookError
from kfnb.execute.parameters import TypedText, read_file
from kfnb.execute.progress import ProgressText
from kfnb.execute.runner import run_notebooks


def _positive(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")


def _services_since(began: float) -> list[str]:
    """The services on this machine that were started since a moment, as by a notebook, and still run."""
    from kfnb.resources.services.api import services

    return [
        one.name
        for one in services(backend="local")
        if not one.state.finished and (one.started or one.created or 0.0) >= began
    ]


@dataclass(frozen=True, kw_only=True)
class RunNotebooks(Command):
    """Execute notebooks from top to bottom, and save the executed notebooks. Exit code 1 if a notebook failed."""

    notebooks: tuple[Path, ...] = word("a notebook (.ipynb)", many="+", metavar="NOTEBOOK", type=Path)
    parameters: Mapping[str, str] = arguments(
        "a parameter, for each notebook that declares it; the value is a Python or JSON literal, else text"
    )
    files: tuple[Path, ...] = repeated(
        "-f", metavar="FILE", type=Path, help="a YAML or JSON file of parameters"
    )
    jobs: int = option(
        metavar="N", type=_positive, default=1, help="maximum number of concurrent notebooks (default 1)"
    )
    output_dir: Path = option(
        metavar="DIR",
        type=Path,
        default=Path("executed"),
        help="folder for executed notebooks (default executed)",
    )
    html: bool = flag(help="also write each executed notebook as HTML")
    junit: Path | None = option(metavar="FILE", type=Path, help="write a JUnit XML report")

    def run(self, session: Session) -> None:
        """Execute them."""
        began = time.time()
        try:
            results = run_notebooks(
                list(self.notebooks),
                parameters=self._gathered(),
                jobs=self.jobs,
                output_dir=self.output_dir,
                html=self.html,
                junit=self.junit,
                on_progress=ProgressText(sys.stderr),
            )
        except NotebookError as error:
            raise NotebookError(f"{session.prog}: {error}") from None
        except KeyboardInterrupt:
            message = f"\n{session.prog}: interrupted; the executed cells are in {self.output_dir}"
            raise KeyboardInterrupt(message) from None
        for result in results:
            for path in (result.output, result.html):
                if path is not None and path.exists():
                    session.out(str(path))
        if not all(result.succeeded for result in results):
            for name in _services_since(began):
                session.notify(f"service {name} is still running; kfnb services stop {name} stops it")
            session.fail()

    def _gathered(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for file in self.files:
            values.update(read_file(file))
        values.update({name: TypedText(text) for name, text in self.parameters.items()})
        return values
