"""kfnb: notebooks as Kubeflow pipelines.

In a notebook, ``%load_ext kfnb`` brings the magics; in a program, the functions here do the same. Importing kfnb
imports nothing heavy: each name below is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kfnb.errors import KfnbError, RunFailed, StudyFailed
    from kfnb.model import Artifact, Experiment, RunState, Task, UploadedPipeline
    from kfnb.model.cluster import Status
    from kfnb.resources.cluster.api import status
    from kfnb.resources.runs.api import (
        compare,
        compile,
        experiments,
        run,
        runs,
        schedule,
        schedules,
        submit,
        upload,
        uploads,
    )
    from kfnb.resources.runs.handle import Run, RunList
    from kfnb.resources.schedules.handle import Schedule
    from kfnb.resources.studies.api import studies, study, tune
    from kfnb.resources.studies.handle import Study

__version__ = "0.1.0"

_HOMES = {
    "Artifact": "kfnb.model",
    "Experiment": "kfnb.model",
    "KfnbError": "kfnb.errors",
    "Run": "kfnb.resources.runs.handle",
    "RunFailed": "kfnb.errors",
    "RunList": "kfnb.resources.runs.handle",
    "RunState": "kfnb.model",
    "Schedule": "kfnb.resources.schedules.handle",
    "Status": "kfnb.model.cluster",
    "Study": "kfnb.resources.studies.handle",
    "StudyFailed": "kfnb.errors",
    "Task": "kfnb.model",
    "UploadedPipeline": "kfnb.model",
    "compare": "kfnb.resources.runs.api",
    "compile": "kfnb.resources.runs.api",
    "experiments": "kfnb.resources.runs.api",
    "run": "kfnb.resources.runs.api",
    "runs": "kfnb.resources.runs.api",
    "schedule": "kfnb.resources.runs.api",
    "schedules": "kfnb.resources.runs.api",
    "status": "kfnb.resources.cluster.api",
    "studies": "kfnb.resources.studies.api",
    "study": "kfnb.resources.studies.api",
    "submit": "kfnb.resources.runs.api",
    "tune": "kfnb.resources.studies.api",
    "upload": "kfnb.resources.runs.api",
    "uploads": "kfnb.resources.runs.api",
}

__all__ = [
    "Artifact",
    "Experiment",
    "KfnbError",
    "Run",
    "RunFailed",
    "RunList",
    "RunState",
    "Schedule",
    "Status",
    "Study",
    "StudyFailed",
    "Task",
    "UploadedPipeline",
    "compare",
    "compile",
    "experiments",
    "run",
    "runs",
    "schedule",
    "schedules",
    "status",
    "studies",
    "study",
    "submit",
    "tune",
    "upload",
    "uploads",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext kfnb`` calls."""
    from kfnb.ipython import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%unload_ext kfnb`` calls."""
    from kfnb.ipython import unload

    unload(shell)
