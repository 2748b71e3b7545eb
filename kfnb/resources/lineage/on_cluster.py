"""What a reference names on a cluster: a run, or a version of a model in its registry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.catalog.records import Source
from kfnb.errors import KfnbError, UsageError
from kfnb.resources.lineage.reference import Reference
from kfnb.resources.models import api as models
from kfnb.resources.runs import api as runs

_RUN = re.compile("[0-9a-f-]+")
"""An id of a run on Kubeflow, or the start of one. A model with such a name is meant with ``@``."""


@dataclass(frozen=True)
class OnCluster:
    """What is looked up in the index, the records that the index has to be given for it, and notes for the user."""

    subject: Reference
    units: Mapping[str, Source] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def on_cluster(subject: Reference) -> OnCluster:
    """What ``kubeflow:...`` names. Raises ``NotFound``, ``UsageError`` and ``BackendError``."""
    if subject.kind == "data":
        message = f"{subject}: a cluster has no registry of data sets"
        raise UsageError(message, hint=f"leave out kubeflow: for {subject.name}", ref=str(subject))
    run, slash, part = subject.name.partition("/")
    if subject.is_version or not (slash or _RUN.fullmatch(run)):
        return _model(subject.name)
    run, source = runs.recorded(f"kubeflow:{run}")
    return OnCluster(Reference(run + slash + part), {run: source})


def _model(ref: str) -> OnCluster:
    """A version of a model, with the run that made it if that was on the cluster."""
    name, records = models.recorded(f"kubeflow:{ref}")
    subject, units = Reference(name, "model"), dict[str, Source]({records.unit: records})
    if not records.run:
        return OnCluster(subject, units)
    try:
        run, source = runs.recorded(f"kubeflow:{records.run}")
    except KfnbError as error:
        return OnCluster(subject, units, (f"the run that made {name} cannot be read: {error}",))
    return OnCluster(subject, {**units, run: source})
