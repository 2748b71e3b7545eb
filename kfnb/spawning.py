"""Notebooks on the cluster, for programs: the name under which they are documented (``docs/notebooks.md``)."""

from kfnb.resources.notebooks.api import awaited, create, delete, dry_run, notebook, notebooks, start, stop
from kfnb.resources.notebooks.model import Mount
from kfnb.resources.notebooks.spec import NotebookRequest

Asked = NotebookRequest
rehearse = dry_run
"""The former names, which stay."""

__all__ = [
    "Asked",
    "Mount",
    "NotebookRequest",
    "awaited",
    "create",
    "delete",
    "dry_run",
    "notebook",
    "notebooks",
    "rehearse",
    "start",
    "stop",
]
