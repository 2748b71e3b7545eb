"""Notebooks on the cluster, for programs: the name under which they are documented (``docs/notebooks.md``)."""

from kfnb.resources.notebooks.api import awaited, create, delete, notebook, notebooks, rehearse, start, stop
from kfnb.resources.notebooks.model import Mount
from kfnb.resources.notebooks.spec import NotebookRequest as Asked

__all__ = [
    "Asked",
    "Mount",
    "awaited",
    "create",
    "delete",
    "notebook",
    "notebooks",
    "rehearse",
    "start",
    "stop",
]
