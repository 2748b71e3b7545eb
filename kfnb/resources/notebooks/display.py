"""How notebooks on the cluster are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.aliases import with_former_names
from kfnb.commands.display import Display
from kfnb.resources.notebooks.model import DryRun, Notebook, NotebookList
from kfnb.resources.notebooks.view import draw_dry_run, draw_notebook, draw_notebooks

DISPLAYS = {
    Notebook: Display(draw_notebook, asdict),
    NotebookList: Display(draw_notebooks, asdict),
    DryRun: Display(draw_dry_run, lambda one: with_former_names(asdict(one), {"told": "message"})),
}
