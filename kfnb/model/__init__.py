"""Plain, frozen data that every layer shares: runs, their tasks, artifacts; components and graphs.

Nothing here fetches, draws or imports other parts of kfnb. A backend folds its observations into these objects;
widgets and text draw them.
"""

from kfnb.model.carried import FILES, Carried, carried, digest_of, importers, path_of, read_carried, stored
from kfnb.model.component import CarriedItem, ComponentView, Graph, GraphEdge, GraphNode, PodSetting, Port
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
    seconds_between,
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
    "importers",
    "kfp_name",
    "path_of",
    "read_carried",
    "seconds_between",
    "stored",
]
