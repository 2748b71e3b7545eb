"""What models have of runs: the artifacts that become versions, and whether the run of a version is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kfnb.entities import Artifact, RunSnapshot
from kfnb.errors import RunNotFound, UsageError, did_you_mean
from kfnb.resources.models.handle import ModelVersion

if TYPE_CHECKING:
    from kfnb.resources.runs.handle import Run


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


def run_snapshot(run: Any) -> RunSnapshot | None:
    """A run by its handle or its id, or its snapshot itself; None for none. Raises ``RunNotFound``."""
    if run is None or isinstance(run, RunSnapshot):
        return run
    from kfnb.resources.runs.api import handles

    return handles(run)[0].snapshot()
