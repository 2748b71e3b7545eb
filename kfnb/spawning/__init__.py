"""Notebooks on the cluster: the public functions, and what a line of words means."""

from kfnb.cluster.notebooks import Asked
from kfnb.model.notebook import Mount
from kfnb.spawning.line import notebook_line
from kfnb.spawning.servers import awaited, create, delete, notebook, notebooks, rehearse, start, stop

__all__ = [
    "Asked",
    "Mount",
    "awaited",
    "create",
    "delete",
    "notebook",
    "notebook_line",
    "notebooks",
    "rehearse",
    "start",
    "stop",
]
