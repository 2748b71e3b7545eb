"""Whole notebooks, each written once: as it is without kfnb, and with kfnb's headers over its cells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).parent / "notebooks"
_LOOKING = (Path(__file__).parent / "looking.py").read_text(encoding="utf-8")
_HEADERS = ("%load_ext kfnb", "%%kf_", "%kf_")


@dataclass(frozen=True)
class Whole:
    """A notebook's cells with their headers, and what is to be noted of its components."""

    cells: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def plain(self) -> tuple[str, ...]:
        """The cells without headers: a notebook that knows nothing of kfnb."""
        return tuple(
            "\n".join(line for line in cell.splitlines() if not line.startswith(_HEADERS))
            for cell in self.cells
        )

    @property
    def last_cells(self) -> dict[str, int]:
        """Where the last cell of each component is."""
        found = {}
        for place, cell in enumerate(self.cells):
            for line in cell.splitlines():
                if line.startswith("%%kf_component "):
                    found[line.split()[1]] = place
        return found


def whole(name: str) -> Whole:
    """The notebook of that name: cells are parted by ``# ---``; what is to be noted stands under ``# notes``."""
    text, _, notes = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n# notes\n")
    return Whole(
        tuple(text.split("\n# ---\n")),
        tuple(line.removeprefix("# ") for line in notes.splitlines() if line),
    )


class Kernel:
    """A kernel in which a notebook's cells run, one by one, and which says how its values and files look."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client

    def run(self, source: str) -> str:
        """Run a cell; what it printed."""
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return "".join(one.get("text", "") for one in cell.outputs if one.get("name") == "stdout")

    def ask(self, expression: str) -> Any:
        """The value of an expression that JSON can hold, which sees ``looking.py``; it is evaluated beside the
        notebook's names."""
        told = self.run(
            "def _ask():\n"
            "    import builtins, json, sys, types\n"
            "    module = sys.modules.get('_looking')\n"
            "    if module is None:\n"
            "        module = sys.modules['_looking'] = types.ModuleType('_looking')\n"
            f"        exec({_LOOKING!r}, module.__dict__)\n"
            f"    print('<<<' + json.dumps(eval({expression!r}, module.__dict__, dict(space=globals()))) + '>>>')\n"
            "_ask()\ndel _ask"
        )
        return json.loads(told.partition("<<<")[2].rpartition(">>>")[0])


@contextmanager
def kernel(folder: Path, environment: Mapping[str, str]) -> Iterator[Kernel]:
    """A kernel of a notebook that lies in ``folder``, with no other variables of the environment."""
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with client.setup_kernel(cwd=str(folder), env=dict(environment)):
        yield Kernel(client)


__all__ = ["CellExecutionError", "Kernel", "Whole", "kernel", "whole"]
