"""The records that lineage is derived from: those of each noun that has some."""

from __future__ import annotations

from kfnb.catalog.records import Source
from kfnb.resources.datasets import api as datasets
from kfnb.resources.models import api as models
from kfnb.resources.runs import api as runs
from kfnb.resources.services import api as services


def sources() -> list[Source]:
    """What the index of the home is made of."""
    return [runs.records(), datasets.records(), models.records(), services.records()]
