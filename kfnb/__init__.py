"""kfnb: notebooks as Kubeflow pipelines.

In a notebook, ``%load_ext kfnb`` brings the magics; in a program, the functions here do the same. Importing kfnb
imports nothing heavy: each name below is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kfnb.api import (
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
    from kfnb.backends.run import Run, RunList
    from kfnb.backends.schedule import Schedule
    from kfnb.errors import KfnbError, RunFailed, StudyFailed
    from kfnb.model import Artifact, Experiment, RunState, Task, UploadedPipeline
    from kfnb.model.cluster import Status
    from kfnb.searching import studies, study, tune
    from kfnb.standing import status
    from kfnb.tuning.study import Study

__version__ = "0.1.0"

_HOMES = {
    "Artifact": "kfnb.model",
    "Experiment": "kfnb.model",
    "KfnbError": "kfnb.errors",
    "Run": "kfnb.backends.run",
    "RunFailed": "kfnb.errors",
    "RunList": "kfnb.backends.run",
    "RunState": "kfnb.model",
    "Schedule": "kfnb.backends.schedule",
    "Status": "kfnb.model.cluster",
    "Study": "kfnb.tuning.study",
    "StudyFailed": "kfnb.errors",
    "Task": "kfnb.model",
    "UploadedPipeline": "kfnb.model",
    "compare": "kfnb.api",
    "compile": "kfnb.api",
    "experiments": "kfnb.api",
    "run": "kfnb.api",
    "runs": "kfnb.api",
    "schedule": "kfnb.api",
    "schedules": "kfnb.api",
    "status": "kfnb.standing",
    "studies": "kfnb.searching",
    "study": "kfnb.searching",
    "submit": "kfnb.api",
    "tune": "kfnb.searching",
    "upload": "kfnb.api",
    "uploads": "kfnb.api",
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
    from kfnb.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%unload_ext kfnb`` calls."""
    from kfnb.magics import unload

    unload(shell)
