"""The protocol of engines of trainings: engines of runs that start a training from its one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kfnb.capture.training import Training
from kfnb.resources.runs.engine import RunEngine, Submission


@dataclass(frozen=True)
class TrainingSubmission:
    """A training to start: the pipeline of its one step, how many processes it has, and what connects them.

    ``framework`` is the one that is used, not ``auto``. The step launches the processes of one node.
    """

    submission: Submission
    training: Training
    framework: str


class TrainingEngine(RunEngine, Protocol):
    """A place where trainings on several nodes run."""

    def train(self, given: TrainingSubmission) -> str:
        """Start a training and return the id of its run at once. Raises ``BackendError``."""
        ...
