"""What a reference names on a cluster: a run, or a version of a model in its registry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.catalog.records import Source
from kfnb.errors import KfnbError
from kfnb.resources.models import api as models
from kfnb.resources.runs import api as runs

ON_CLUSTER = "kubeflow:"
_RUN = re.compile("[0-9a-f-]+")
"""An id of a run on Kubeflow, or the start of one. A model with such a name is meant with ``@``."""


@dataclass(frozen=True)
class OnCluster:
    """What is asked for in the index, the records that the index has to be given for it, and notes for the user."""

    ref: str
    units: Mapping[str, Source] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def on_cluster(text: str) -> OnCluster:
    """What ``kubeflow:...`` names. Raises ``NotFound``, ``UsageError`` and ``BackendError``."""
    run, slash, part = text.removeprefix(ON_CLUSTER).partition("/")
    if not slash and not _RUN.fullmatch(run):
        return _model(text)
    run, source = runs.recorded(ON_CLUSTER + run)
    return OnCluster(run + slash + part, {run: source})


def _model(text: str) -> OnCluster:
    """A version of a model, with the run that made it if that was on the cluster."""
    name, records = models.recorded(text)
    units: dict[str, Source] = {records.unit: records}
    if not records.run:
        return OnCluster(name, units)
    try:
        run, source = runs.recorded(ON_CLUSTER + records.run)
    except KfnbError as error:
        return OnCluster(name, units, (f"the run that made {name} cannot be read: {error}",))
    return OnCluster(name, {**units, run: source})
