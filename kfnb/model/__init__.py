"""Plain, frozen data that every layer shares: runs, their tasks, artifacts; components and graphs.

Nothing here fetches, draws or imports other parts of kfnb. A backend folds its observations into these objects;
widgets and text draw them. The module is also the public function ``kfnb.model("churn@3")``, which returns a version of
a registered model: a package has one attribute for a module and a function of the same name.
"""

from __future__ import annotations

import sys
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

from kfnb.model.carried import FILES, Carried, carried, digest_of, importers, path_of, read_carried, stored
from kfnb.model.component import CarriedItem, ComponentView, Graph, GraphEdge, GraphNode, PodSetting, Port
from kfnb.model.imported_data import ImportedData, imported_data, with_addresses
from kfnb.model.listing import Listing
from kfnb.model.log_line import LogLine
from kfnb.model.run import (
    Artifact,
    ByTask,
    Compared,
    Comparison,
    OfTask,
    Preview,
    RunSnapshot,
    RunState,
    Task,
    TaskError,
    kfp_name,
)

__all__ = [
    "FILES",
    "Artifact",
    "ByTask",
    "Carried",
    "CarriedItem",
    "Compared",
    "Comparison",
    "ComponentView",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "ImportedData",
    "Listing",
    "LogLine",
    "OfTask",
    "PodSetting",
    "Port",
    "Preview",
    "RunSnapshot",
    "RunState",
    "Task",
    "TaskError",
    "carried",
    "digest_of",
    "imported_data",
    "importers",
    "kfp_name",
    "path_of",
    "read_carried",
    "stored",
    "with_addresses",
]


class _Model(ModuleType):
    """The module, which can be called."""

    def __call__(self, ref: Any) -> Any:
        """The version of a model: ``churn@3``, ``churn@champion``, or the newest for ``churn``."""
        return resolve_name("kfnb.resources.models.api:model")(ref)


sys.modules[__name__].__class__ = _Model
