"""Plain, frozen data that every layer shares: runs, their tasks, artifacts, studies.

Nothing here fetches, draws or imports anything else of kfnb. A backend folds what it knows into these
objects; widgets and text draw them.
"""

from kfnb.model.carried import FILES, Carried, carried, digest_of, importers, path_of, read_carried, stored
from kfnb.model.component import Asked, ComponentView, Edge, Graph, Node, Port, Traveller
from kfnb.model.kept import Experiment, ExperimentList, Schedule, UploadedPipeline, UploadList
from kfnb.model.listing import Listing
from kfnb.model.log_line import LogLine
from kfnb.model.run import (
    Artifact,
    ByTask,
    Compared,
    Comparison,
    OfTask,
    Preview,
    Run,
    RunState,
    Task,
    TaskError,
    kfp_name,
)
from kfnb.model.study import (
    Chart,
    Dimension,
    Objective,
    Study,
    StudyList,
    StudyPlot,
    Trial,
    TrialState,
    Value,
)

__all__ = [
    "FILES",
    "Artifact",
    "Asked",
    "ByTask",
    "Carried",
    "Chart",
    "Compared",
    "Comparison",
    "ComponentView",
    "Dimension",
    "Edge",
    "Experiment",
    "ExperimentList",
    "Graph",
    "Listing",
    "LogLine",
    "Node",
    "Objective",
    "OfTask",
    "Port",
    "Preview",
    "Run",
    "RunState",
    "Schedule",
    "Study",
    "StudyList",
    "StudyPlot",
    "Task",
    "TaskError",
    "Traveller",
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
