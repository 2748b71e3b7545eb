"""The public functions of experiments."""

from __future__ import annotations

from kfnb.resources.experiments import model
from kfnb.resources.runs.api import engine_of


def experiments(*, backend: str | None = None) -> model.ExperimentList:
    """All experiments. The first run in an experiment creates it."""
    return model.ExperimentList(engine_of(backend).experiments())
