"""Frozen data that every layer shares: runs, their tasks, artifacts; components and graphs.

Nothing here draws or imports other parts of kfnb, and only an ``Artifact`` does I/O: it reads its own content. A
backend folds its observations into these objects; widgets and text draw them.
"""

from kfnb.entities.carried import FILES, Carried, carried, digest_of, importers, path_of, read_carried, stored
from kfnb.entities.component import CarriedItem, ComponentView, Graph, GraphEdge, GraphNode, PodSetting, Port
from kfnb.entities.imported_data import (
    ImportedData,
    data_digest_of,
    data_of,
    imported_data,
    with_addresses,
    with_placeholders,
)
from kfnb.entities.label_score import LabelScore
from kfnb.entities.listing import Listing
from kfnb.entities.log_line import LogLine
from kfnb.entities.rank import NAMES, Rank
from kfnb.entities.run import (
    Artifact,
    ByTask,
    Compared,
    Comparison,
    OfTask,
    Preview,
    RunSnapshot,
    Task,
    TaskError,
    kfp_name,
    seconds_between,
)
from kfnb.entities.run_state import RunState
from kfnb.entities.usage import Amounts, Purpose, Usage, added_up

__all__ = [
    "FILES",
    "NAMES",
    "Amounts",
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
    "LabelScore",
    "Listing",
    "LogLine",
    "OfTask",
    "PodSetting",
    "Port",
    "Preview",
    "Purpose",
    "Rank",
    "RunSnapshot",
    "RunState",
    "Task",
    "TaskError",
    "Usage",
    "added_up",
    "carried",
    "data_digest_of",
    "data_of",
    "digest_of",
    "imported_data",
    "importers",
    "kfp_name",
    "path_of",
    "read_carried",
    "seconds_between",
    "stored",
    "with_addresses",
    "with_placeholders",
]
