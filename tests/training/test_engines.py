"""The suite of every engine of trainings: this machine's launcher, and TrainJobs on a simulated cluster.

``test_real_trainer`` and ``test_recorded_trainer`` have it for Trainer itself.
"""

from __future__ import annotations

import pytest

from tests.training.simulated_trainer import Trainer
from tests.training.training_conformance import TrainingConformance


class TestHere(TrainingConformance):
    """The launcher of this machine."""

    backend = "local"


class TestSimulatedTrainer(TrainingConformance):
    """TrainJobs, with simulated controllers."""

    backend = "kubeflow"

    @pytest.fixture(autouse=True)
    def place(self, simulation: Trainer) -> None:
        """A simulated cluster."""
