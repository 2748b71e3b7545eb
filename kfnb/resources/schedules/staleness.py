"""Stale schedules: a schedule keeps the pipeline as it was; the notebook's may have changed since."""

from __future__ import annotations

from dataclasses import replace

from kfnb.entities.run import kfp_name
from kfnb.errors import KfnbError
from kfnb.pipeline.spec import Compiled
from kfnb.pipeline.workspace import workspace
from kfnb.resources.components.api import spec_of
from kfnb.resources.runs.pipeline_code import digest_of_spec
from kfnb.resources.schedules.model import ScheduleSnapshot


def digest_of(compiled: Compiled) -> str:
    """The digest of a pipeline, alike for cells that were only run again."""
    return digest_of_spec(compiled.spec, compiled.platform)


def marked(one: ScheduleSnapshot) -> ScheduleSnapshot:
    """A schedule, with whether it is stale."""
    return replace(one, stale=_differs(one))


def _differs(one: ScheduleSnapshot) -> bool:
    """Whether this notebook has the pipeline of a schedule, with other content."""
    if not one.digest:
        return False
    for name in workspace().pipelines:
        if kfp_name(name) == one.pipeline:
            try:
                return digest_of(spec_of(name)) != one.digest
            except KfnbError:  # it cannot be built any more, so it was changed
                return True
    return False
