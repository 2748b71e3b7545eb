"""The verb of notebooks on the cluster."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from kfnb import options
from kfnb.commands.terminal import in_terminal, tell
from kfnb.model.notebook import Notebook, NotebookList, Rehearsal
from kfnb.resources.notebooks.line import notebook_line
from kfnb.resources.notebooks.view import draw_notebook, draw_notebooks, draw_rehearsal


def notebook(words: list[str]) -> int:
    """``kfnb notebook``."""
    parser = options.notebook().for_command("kfnb notebook")
    parser.add_argument("--json", action="store_true", help="print what was found or made as JSON")
    found = parser.read(words)
    as_json = vars(found).pop("json")
    options.check_notebook(parser, found)
    made = notebook_line(found, tell, input if sys.stdin.isatty() else None)
    if made is not None:
        print(json.dumps(_data(made), indent=2) if as_json else _drawn(made))
    return 1 if isinstance(made, Rehearsal) and not made.accepted else 0


def _drawn(made: NotebookList | Notebook | Rehearsal) -> str:
    if isinstance(made, NotebookList):
        return in_terminal(draw_notebooks(made)["text/plain"])
    if isinstance(made, Rehearsal):
        return draw_rehearsal(made)["text/plain"]
    return draw_notebook(made)["text/plain"]


def _data(made: NotebookList | Notebook | Rehearsal) -> dict[str, Any]:
    return asdict(made)
