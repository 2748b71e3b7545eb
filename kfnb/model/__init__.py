"""Plain, frozen data that every layer shares: runs, their tasks, artifacts, studies.

Nothing here fetches, draws or imports other parts of kfnb. A backend folds its observations into these objects;
widgets and text draw them.
"""

from kfnb.model.carried import FILES, Carried, carried, digest_of, importers, path_of, read_carried, stored
from kfnb.model.component import CarriedItem, ComponentView, Graph, GraphEdge, GraphNode, PodSetting, Port
from kfnb.model.kfp_objects import Experiment, ExperimentList, ScheduleSnapshot, UploadedPipeline, UploadList
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
from kfnb.model.study import (
    Chart,
    Dimension,
    Objective,
    StudyList,
    StudyPlot,
    StudySnapshot,
    Trial,
    TrialState,
    Value,
)

__all__ = [
    "FILES",
    "Artifact",
    "ByTask",
    "Carried",
    "CarriedItem",
    "Chart",
    "Compared",
    "Comparison",
    "ComponentView",
    "Dimension",
    "Experiment",
    "ExperimentList",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Listing",
    "LogLine",
    "Objective",
    "OfTask",
    "PodSetting",
    "Port",
    "Preview",
    "RunSnapshot",
    "RunState",
    "ScheduleSnapshot",
    "StudyList",
    "StudyPlot",
    "StudySnapshot",
    "Task",
    "TaskError",
    "Trial",
    "TrialState",
    "UploadList",
    "UploadedPipeline",
    "Value",
    "carried",
    "digest_of",
    "importers",
    "kfp_name",
    "path_of",
    "read_carried",
    "stored",
]
