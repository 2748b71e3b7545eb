"""What models have of runs: the artifacts that become versions, and whether the run of a version is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kfnb.diagnostics import logger
from kfnb.entities import Artifact, RunSnapshot, Task
from kfnb.errors import BackendError, RunNotFound, UsageError, did_you_mean
from kfnb.resources.models.handle import ModelVersion
from kfnb.target import names_a_cluster

if TYPE_CHECKING:
    from kfnb.resources.runs.handle import Run

_logger = logger(__package__)


def artifact_of(run: str | Run | RunSnapshot, text: str) -> Artifact:
    """The artifact ``task.output`` of a run. Raises ``UsageError``, ``RunNotFound``."""
    found = run_snapshot(run)
    assert found is not None
    known = {
        f"{task.name}.{name}": value
        for task in found.tasks
        for name, value in task.outputs.items()
        if isinstance(value, Artifact)
    }
    if text not in known:
        hint = did_you_mean(text, known, f"it has {', '.join(known)}" if known else "it has none")
        raise UsageError(f"run {found.id} has no artifact {text}", code="not-found", hint=hint, ref=text)
    return known[text]


def is_run_known(version: ModelVersion) -> bool:
    """Whether the run that made a version is there; runs on a cluster are not asked for."""
    source = version.snapshot().source
    if source.kind != "kfp" or source.backend != "local":
        return True
    from kfnb.resources.runs.api import handles

    try:
        handles(source.id)
    except RunNotFound:
        return False
    return True


def maker(version: ModelVersion) -> Task | None:
    """The task that made a version; None if its run is not there, or on a cluster that the settings do not name."""
    source = version.snapshot().source
    if source.kind != "kfp" or (source.backend == "kubeflow" and not names_a_cluster()):
        return None
    from kfnb.resources.runs.api import handles

    try:
        run = handles(f"{source.backend}:{source.id}")[0].snapshot()
    except BackendError:
        _logger.debug("The run of %s cannot be read.", version.ref, exc_info=True)
        return None
    return next((task for task in run.tasks if task.id == source.task), None)


def run_snapshot(run: Any) -> RunSnapshot | None:
    """A run by its handle or its id, or its snapshot itself; None for none. Raises ``RunNotFound``."""
    if run is None or isinstance(run, RunSnapshot):
        return run
    from kfnb.resources.runs.api import handles

    return handles(run)[0].snapshot()
