"""The commands of experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kfnb.commands.command import Command
from kfnb.commands.session import Session
from kfnb.resources.experiments import api

if TYPE_CHECKING:
    from kfnb.resources.experiments.model import ExperimentList


@dataclass(frozen=True, kw_only=True)
class ListExperiments(Command):
    """List the experiments. The first run in an experiment creates it."""

    binds = True
    json = "print the experiments as JSON"

    def run(self, session: Session) -> ExperimentList:
        """List them."""
        return api.experiments()
