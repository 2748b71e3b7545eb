"""kfnb: notebooks as Kubeflow pipelines.

In a notebook, ``%load_ext kfnb`` brings the magics; in a program, the functions here do the same. Importing kfnb
imports nothing heavy: each name below is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kfnb.entities import Artifact, RunState, Task
    from kfnb.entities.log_policy import LogPolicy
    from kfnb.entities.manifest import Manifest
    from kfnb.errors import KfnbError, RunFailed, ServiceFailed, StudyFailed
    from kfnb.prices.rates import Cost
    from kfnb.resources.cluster.api import status
    from kfnb.resources.cluster.model import Status
    from kfnb.resources.components.api import compile
    from kfnb.resources.costs.api import costs
    from kfnb.resources.costs.model import CostReport
    from kfnb.resources.datasets.api import add_data, dataset, datasets, infer_schema
    from kfnb.resources.datasets.handle import DatasetVersion
    from kfnb.resources.experiments.api import experiments
    from kfnb.resources.experiments.model import Experiment
    from kfnb.resources.lineage.api import lineage
    from kfnb.resources.lineage.model import Lineage
    from kfnb.resources.models.api import model, models, register
    from kfnb.resources.models.handle import ModelVersion
    from kfnb.resources.models.leaderboard import Leaderboard
    from kfnb.resources.monitors.api import monitor, monitors
    from kfnb.resources.monitors.handle import Monitor
    from kfnb.resources.monitors.model import Report
    from kfnb.resources.provenance.api import diff, manifest, rerun
    from kfnb.resources.runs.api import compare, run, runs, submit
    from kfnb.resources.runs.handle import Run, RunList
    from kfnb.resources.schedules.api import schedule, schedules
    from kfnb.resources.schedules.handle import Schedule
    from kfnb.resources.services.api import serve, service, services
    from kfnb.resources.services.handle import Service
    from kfnb.resources.studies.api import studies, study, tune
    from kfnb.resources.studies.handle import Study
    from kfnb.resources.training.api import train
    from kfnb.resources.uploads.api import upload, uploads
    from kfnb.resources.uploads.model import UploadedPipeline

__version__ = "0.1.0"

__all__ = [
    "Artifact",
    "Cost",
    "CostReport",
    "DatasetVersion",
    "Experiment",
    "KfnbError",
    "Leaderboard",
    "Lineage",
    "LogPolicy",
    "Manifest",
    "ModelVersion",
    "Monitor",
    "Report",
    "Run",
    "RunFailed",
    "RunList",
    "RunState",
    "Schedule",
    "Service",
    "ServiceFailed",
    "Status",
    "Study",
    "StudyFailed",
    "Task",
    "UploadedPipeline",
    "add_data",
    "compare",
    "compile",
    "costs",
    "dataset",
    "datasets",
    "diff",
    "experiments",
    "infer_schema",
    "lineage",
    "manifest",
    "model",
    "models",
    "monitor",
    "monitors",
    "register",
    "rerun",
    "run",
    "runs",
    "schedule",
    "schedules",
    "serve",
    "service",
    "services",
    "status",
    "studies",
    "study",
    "submit",
    "train",
    "tune",
    "upload",
    "uploads",
]


def __getattr__(name: str) -> Any:
    from kfnb.registry import exports, public_modules

    if name in public_modules():
        return import_module(public_modules()[name])
    module = exports().get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    from kfnb.registry import exports, public_modules

    return sorted({*globals(), *exports(), *public_modules()})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext kfnb`` calls."""
    from kfnb.ipython import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%unload_ext kfnb`` calls."""
    from kfnb.ipython import unload

    unload(shell)
