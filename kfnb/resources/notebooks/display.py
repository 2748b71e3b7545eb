"""How notebooks on the cluster are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from kfnb.resources.notebooks.model import Notebook, NotebookList, Rehearsal
from kfnb.resources.notebooks.view import draw_notebook, draw_notebooks, draw_rehearsal

DISPLAYS = {
    Notebook: Display(draw_notebook, asdict),
    NotebookList: Display(draw_notebooks, asdict),
    Rehearsal: Display(draw_rehearsal, asdict),
}
