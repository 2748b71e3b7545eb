"""Stale schedules: a schedule keeps the pipeline as it was; the notebook's may have changed since."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

from kfnb.entities.run import kfp_name
from kfnb.errors import KfnbError
from kfnb.pipeline.spec import Compiled
from kfnb.pipeline.workspace import workspace
from kfnb.resources.components.api import spec_of
from kfnb.resources.schedules.model import ScheduleSnapshot

_CELL_NUMBER = re.compile(r"(# cell [^\n]*?)\[\d+\](, line \d+)")
"""A cell's number in a step's source: a cell that is run again without a change gets another one."""


def digest_of(compiled: Compiled) -> str:
    """The digest of a pipeline, alike for cells that were only run again."""
    return hashlib.sha256(json.dumps(_plain([compiled.spec, compiled.platform])).encode()).hexdigest()


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


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(data[key]) for key in sorted(data)}
    if isinstance(data, list):
        return [_plain(one) for one in data]
    return _CELL_NUMBER.sub(r"\1\2", data) if isinstance(data, str) else data
